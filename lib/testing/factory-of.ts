import { NotRegisteredError } from '../errors.ts'
import type { SessionFactory } from '../request/factory.ts'
import { sessionContext } from '../request/session-context.ts'

/** An application, or a scope of one, with any server and type provider. Every Fastify instance is one. */
export interface AnyApp {
  /** Waits until all plugins are loaded, as `app.ready()` of Fastify does. */
  ready(done: (error: Error | null) => void): unknown
}

/** Selects one of the sessions of an application. */
export interface SessionChoice {
  /** The option `decorator` of the session. Default `'session'`. */
  readonly decorator?: string | undefined
}

/**
 * Returns what creates and reads the sessions of an application. Waits for its plugins if the session is not registered yet.
 */
export async function factoryOf(app: AnyApp, decorator = 'session'): Promise<SessionFactory> {
  const find = (): SessionFactory | undefined => sessionContext(app, decorator)?.factory
  const factory = find() ?? (await whenReady(app).then(find))
  if (factory !== undefined) return factory
  throw new NotRegisteredError(
    `This application has no session named '${decorator}'. Register fastify-typed-session, or pass the scope in which it is registered${decorator === 'session' ? '' : `, with decorator: '${decorator}'`}.`
  )
}

/** Uses the callback, because Fastify 5 rejects the promise for a scope of an application that runs already. */
function whenReady(app: AnyApp): Promise<void> {
  return new Promise((resolve, reject) => {
    app.ready((error) => (error ? reject(error) : resolve()))
  })
}
