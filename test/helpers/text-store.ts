type Done = (error?: unknown, session?: unknown) => void

/** A store for express-session. */
export interface TextStore {
  get(sid: string, done: Done): void
  set(sid: string, session: object, done: () => void): void
  destroy(sid: string, done: () => void): void
  all(done: (error: unknown, rows: unknown[]) => void): void
}

/** A store for express-session that keeps JSON in `texts`, as many do, and passes on what `JSON.parse` throws. */
export function createTextStore(texts: Map<string, string> = new Map()): TextStore {
  return {
    get(sid, done) {
      try {
        done(null, JSON.parse(texts.get(sid) ?? 'null') ?? undefined)
      } catch (error) {
        done(error)
      }
    },
    set(sid, session, done) {
      texts.set(sid, JSON.stringify(session))
      done()
    },
    destroy(sid, done) {
      texts.delete(sid)
      done()
    },
    all(done) {
      done(
        null,
        Array.from(texts, ([sid, sess]) => ({ sid, sess }))
      )
    }
  }
}
