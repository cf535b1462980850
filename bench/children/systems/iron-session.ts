import type { FastifyReply, FastifyRequest } from 'fastify'
import type { IronSession } from 'iron-session'
import { getIronSession } from 'iron-session'
import type { Account } from '../accounts.ts'
import type { Start } from './fastify.ts'
import { create } from './fastify.ts'
import { COOKIE_ATTRIBUTES, COOKIE_NAME, SECRET } from './settings.ts'

const OPTIONS = { password: SECRET, cookieName: COOKIE_NAME, cookieOptions: { ...COOKIE_ATTRIBUTES, secure: false } }

/** iron-session has no plugin: the handler opens the session on the raw request and response. */
function open(request: FastifyRequest, reply: FastifyReply): Promise<IronSession<Account>> {
  return getIronSession<Account>(request.raw, reply.raw, OPTIONS)
}

export const start: Start = (circumstances) =>
  create(circumstances, async () => {}, {
    async logIn(request, reply, { profile, visits }) {
      const session = await open(request, reply)
      session.profile = profile
      session.visits = visits
      await session.save()
      return profile.name
    },
    read: async (request, reply) => (await open(request, reply)).profile.name,
    async write(request, reply) {
      const session = await open(request, reply)
      session.visits++
      await session.save()
      return session.profile.name
    },
    async show(request, reply) {
      const { profile, visits } = await open(request, reply)
      return { profile, visits }
    }
  })
