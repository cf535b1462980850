import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import type { Account } from '../accounts.ts'
import { createTurnstile } from '../accounts.ts'

/** What an application is created with. */
export interface Circumstances {
  readonly accounts: readonly Account[]
  /** Whether Fastify logs each request. The lines are formatted and thrown away. */
  readonly logger: boolean
}

/** Every system's file exports one as `start`. */
export type Start = (circumstances: Circumstances) => Promise<FastifyInstance>

const NOWHERE = { write(): void {} }

type Handler<Result> = (request: FastifyRequest, reply: FastifyReply) => Promise<Result>

/** The handlers in which systems differ. */
export interface Handlers {
  logIn(request: FastifyRequest, reply: FastifyReply, account: Account): Promise<string>
  /** Returns the name in the session. */
  read: Handler<string>
  /** Counts a visit. */
  write: Handler<string>
  /** Returns all data of the session. */
  show: Handler<Partial<Account>>
}

/**
 * Returns `request.session` with the type `Session`. Three plugins declare this property with different types, so no declaration
 * is right for all of them.
 */
export function sessionOf<Session>(request: FastifyRequest): Session {
  return request.session as unknown as Session
}

/** Creates a Fastify application with one system. */
export async function create(
  { accounts, logger }: Circumstances,
  register: (app: FastifyInstance) => PromiseLike<unknown>,
  handlers: Handlers
): Promise<FastifyInstance> {
  const app: FastifyInstance = logger ? fastify({ logger: { stream: NOWHERE } }) : fastify()
  const nextAccount = createTurnstile(accounts)
  await register(app)
  app.get('/untouched', async () => 'user-10000')
  app.get('/anon', async () => 'user-10000')
  app.get('/read', handlers.read)
  app.get('/write', handlers.write)
  app.get('/login', (request, reply) => handlers.logIn(request, reply, nextAccount()))
  app.get('/show', handlers.show)
  await app.ready()
  return app
}
