import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import type { Account } from '../accounts.ts'
import { createTurnstile } from '../accounts.ts'

type Handler<Result> = (request: FastifyRequest, reply: FastifyReply) => Promise<Result>

/** What a system does with a session. Everything else is the same in all. */
export interface Handlers {
  logIn(request: FastifyRequest, reply: FastifyReply, account: Account): Promise<string>
  /** The name in the session. */
  read: Handler<string>
  /** Counts a visit. */
  write: Handler<string>
  /** All that is in the session. */
  show: Handler<Partial<Account>>
}

/**
 * `request.session` with the type that a system gives it. Three plugins declare that property, each with its own type, so in a
 * program that has all of them no declaration is right.
 */
export function sessionOf<Session>(request: FastifyRequest): Session {
  return request.session as unknown as Session
}

/** The handlers where one takes an account out of the cookie, and puts it into one, without a plugin. */
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

/** Starts a Fastify server with one way of keeping sessions. */
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
