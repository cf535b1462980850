import cookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import type { Account } from '../accounts.ts'
import type { Start } from './fastify.ts'
import { create, sessionOf } from './fastify.ts'
import { COOKIE_ATTRIBUTES, COOKIE_NAME, SECRET } from './settings.ts'

/** By default it sends a cookie with every reply and stores a session for every visitor. */
const TUNING = { rolling: false, saveUninitialized: false }

type Options = Parameters<typeof fastifySession>[1]

/** `store`: the default is the memory store of @fastify/session. */
export function startFastifySession(store?: () => Promise<unknown>): Start {
  return (circumstances) =>
    create(
      circumstances,
      async (app) => {
        await app.register(cookie)
        await app.register(fastifySession, {
          secret: SECRET,
          cookieName: COOKIE_NAME,
          cookie: COOKIE_ATTRIBUTES,
          ...TUNING,
          // The types of @fastify/session do not match those of connect-redis.
          ...(store === undefined ? {} : { store: (await store()) as NonNullable<Options['store']> })
        })
      },
      {
        async logIn(request, _reply, { profile, visits }) {
          const session = sessionOf<Account>(request)
          session.profile = profile
          session.visits = visits
          return profile.name
        },
        read: async (request) => sessionOf<Account>(request).profile.name,
        async write(request) {
          const session = sessionOf<Account>(request)
          session.visits++
          return session.profile.name
        },
        async show(request) {
          const { profile, visits } = sessionOf<Account>(request)
          return { profile, visits }
        }
      }
    )
}

export const start: Start = startFastifySession()
