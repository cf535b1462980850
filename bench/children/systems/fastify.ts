import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import type { Account } from '../accounts.ts'
import { createTurnstile } from '../accounts.ts'

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

/** Returns handlers that load the account from the cookie and save it, without a plugin. */
export function handlersOf(
  load: (request: FastifyRequest) => Account | undefined,
  save: (reply: FastifyReply, account: Account) => void
): Handlers {
  return {
    async logIn(_request, reply, { profile, visits }) {
      save(reply, { profile, visits })
      return profile.name
    },
    read: async (request) => load(request)?.profile.name ?? '',
    async write(request, reply) {
      const account = load(request)
      if (account === undefined) return ''
      account.visits++
      save(reply, account)
      return account.profile.name
    },
    show: async (request) => load(request) ?? {}
  }
}

/** Starts a Fastify server with one system. */
export async function serve(
  accounts: readonly Account[],
  register: (app: FastifyInstance) => PromiseLike<unknown>,
  handlers: Handlers
): Promise<number> {
  const app = fastify()
  const nextAccount = createTurnstile(accounts)
  await register(app)
  app.get('/untouched', async () => 'user-10000')
  app.get('/anon', async () => 'user-10000')
  app.get('/read', handlers.read)
  app.get('/write', handlers.write)
  app.get('/login', (request, reply) => handlers.logIn(request, reply, nextAccount()))
  app.get('/show', handlers.show)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as { port: number }).port
}
