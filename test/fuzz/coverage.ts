import type { Profiler } from 'node:inspector'
import { Session } from 'node:inspector'

const LIB: string = new URL('../../lib/', import.meta.url).href

/** Which parts of `lib/` have run, as V8 counts them. Running costs hardly more than without; to ask takes milliseconds. */
export class Coverage {
  readonly #session: Session = new Session()
  /** For each source, which of its characters have run. */
  #reached: ReadonlyMap<string, Uint8Array> = new Map()
  #before: ReadonlyMap<string, Uint8Array> = new Map()

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Whether something has run since the last call that had never run before. */
  take(): boolean {
    this.#before = this.#reached
    const reached = new Map(this.#reached)
    let isNew = false
    for (const script of this.#scripts()) {
      const known = reached.get(script.url)
      const merged = merge(known, script)
      if (merged === undefined) continue
      reached.set(script.url, merged)
      isNew = true
    }
    this.#reached = reached
    return isNew
  }

  /** Searches as if the last `take` had not been. What it has found is known afterwards, whatever the search finds. */
  again<T>(search: () => T): T {
    const reached = this.#reached
    this.#reached = this.#before
    const result = search()
    this.#reached = reached
    return result
  }

  stop(): void {
    this.#session.disconnect()
  }

  #scripts(): Profiler.ScriptCoverage[] {
    let scripts: Profiler.ScriptCoverage[] = []
    // To a session of the same thread, the answer comes before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error !== null) throw error
      scripts = result.filter(({ url }) => url.startsWith(LIB))
    })
    return scripts
  }
}

/** Returns which characters have run, now and before; undefined if none is new. Inner ranges come after outer ones. */
function merge(known: Uint8Array | undefined, { functions }: Profiler.ScriptCoverage): Uint8Array | undefined {
  const ranges = functions.flatMap(({ ranges }) => ranges)
  const length = Math.max(known?.length ?? 0, ...ranges.map(({ endOffset }) => endOffset))
  const merged = new Uint8Array(length)
  for (const { count, startOffset, endOffset } of ranges) merged.fill(Math.min(count, 1), startOffset, endOffset)
  let isNew = false
  for (let at = 0; at < length; at++) {
    if (known?.[at] === 1) merged[at] = 1
    else if (merged[at] === 1) isNew = true
  }
  return isNew ? merged : undefined
}
