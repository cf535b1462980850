import { NotRegisteredError } from '../errors.ts'
import type { SessionFactory } from '../request/factory.ts'
import { sessionContext } from '../request/session-context.ts'

/** An application, or a scope of one, with any server and type provider. */
export interface AnyApp {
  ready(done: (error: Error | null) => void): unknown
}

/** Says which session of an application is meant. */
export interface SessionChoice {
  /** The option `decorator` that it was registered with. Default `'session'`. */
  readonly decorator?: string | undefined
}

/** Waits for the plugins of the application, if the session is not there yet. */
export async function factoryOf(app: AnyApp, decorator = 'session'): Promise<SessionFactory> {
  const find = (): SessionFactory | undefined => sessionContext(app, decorator)?.factory
  const mint = find() ?? (await whenReady(app).then(find))
  if (mint !== undefined) return mint
  throw new NotRegisteredError(
    `This application has no session named '${decorator}'. Register fastify-typed-session, or hand over the scope in which it is registered${decorator === 'session' ? '' : `, with decorator: '${decorator}'`}.`
  )
}

/** By a callback: for a scope of an application that runs already, the promise of Fastify 5 is rejected. */
function whenReady(app: AnyApp): Promise<void> {
  return new Promise((resolve, reject) => {
    app.ready((error) => (error ? reject(error) : resolve()))
  })
}
