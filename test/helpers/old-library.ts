import type { FoundSession, SessionReader } from '../../types/adopt.ts'

type Old = Partial<FoundSession> & Pick<FoundSession, 'data'>

/** Another library: its cookie `old` holds the name of a session and, after a dot, how it is spelled. `forged` opens nothing. */
export class OldLibrary {
  /** Its records. The names of sessions without one are genuine all the same. */
  readonly records: Map<string, Old> = new Map()
  readonly asked: string[] = []
  readonly ended: string[] = []
  /** Runs before each answer. It may wait or throw. */
  before: (value: string) => unknown = () => undefined
  /** Runs before a record is removed. */
  beforeEnd: () => unknown = () => undefined

  reader(options: Partial<SessionReader> = {}, isUnique = true): SessionReader {
    return {
      cookieName: 'old',
      remove: true,
      read: async (value) => {
        this.asked.push(value)
        await this.before(value)
        const [key = ''] = value.split('.')
        const found = this.records.get(key)
        if (key === 'forged') return 'refused'
        if (found === undefined) return { key, data: undefined }
        return { key, isUnique, ...found, end: () => this.#end(key) }
      },
      ...options
    }
  }

  async #end(key: string): Promise<void> {
    await this.beforeEnd()
    this.ended.push(key)
    this.records.delete(key)
  }
}
