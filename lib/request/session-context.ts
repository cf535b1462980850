import type { FastifyInstance, FastifyRequest } from 'fastify'
import { DuplicateSessionError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { OwnerSessions } from '../owners/sessions.ts'
import { VERSION } from '../util/version.ts'
import type { DeviceGate } from './device-gate.ts'
import type { SessionFactory } from './factory.ts'
import type { SessionState } from './state.ts'

/** What the parts of this package know of one registered session. */
export interface SessionContext {
  readonly version: string
  readonly settings: Settings
  readonly sessions: OwnerSessions
  readonly factory: SessionFactory
  readonly device: DeviceGate
  /** The session of a request, unless it is not loaded or nothing of it is kept. */
  readonly loadedOf: (request: FastifyRequest) => object | undefined
  /** Makes a request go on without its session, because its Authorization header says who sends it. */
  readonly setAside: (request: FastifyRequest) => void
  /** What is known of the session of a request so far; null for nothing. */
  readonly stateOf: (request: FastifyRequest) => SessionState | null
}

export function provideSessionContext(app: FastifyInstance, context: Omit<SessionContext, 'version'>): void {
  app.decorate(slotOf(context.settings.decorator), { ...context, version: VERSION })
}

/** Returns the context of a session in the scope of `app`, which may be that of another copy of this package. */
export function anyContext(app: unknown, decorator: string): SessionContext | undefined {
  return Reflect.get(Object(app), slotOf(decorator))
}

/** Returns the context of a session in the scope of `app`; undefined if there is no such session. */
export function sessionContext(app: unknown, decorator: string): SessionContext | undefined {
  const context = anyContext(app, decorator)
  if (context !== undefined && !(context.sessions instanceof OwnerSessions)) throw otherCopy(context.version)
  return context
}

/** The application mixes two copies of this package. */
export function otherCopy(version: string): Error {
  return new DuplicateSessionError(
    `There are two copies of fastify-typed-session: version ${version} has registered the session, and version ${VERSION} is asked for it. Install one: see \`npm ls fastify-typed-session\`.`
  )
}

/** A symbol that all copies of this package share, so that one can tell that there is another. */
function slotOf(decorator: string): symbol {
  return Symbol.for(`fastify-typed-session context of ${decorator}`)
}
