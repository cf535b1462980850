import secureSession from '@fastify/secure-session'
import type { Account } from '../accounts.ts'
import type { Start } from './fastify.ts'
import { create, sessionOf } from './fastify.ts'
import { COOKIE_ATTRIBUTES, COOKIE_NAME, SECRET } from './settings.ts'

interface Session {
  get<Key extends keyof Account>(key: Key): Account[Key]
  set<Key extends keyof Account>(key: Key, value: Account[Key]): void
}

/** With a key, which its README recommends for speed, and with the methods of its README. */
export const start: Start = (circumstances) =>
  create(
    circumstances,
    async (app) =>
      app.register(secureSession, { key: Buffer.from(SECRET), cookieName: COOKIE_NAME, cookie: COOKIE_ATTRIBUTES }),
    {
      async logIn(request, _reply, { profile, visits }) {
        const session = sessionOf<Session>(request)
        session.set('profile', profile)
        session.set('visits', visits)
        return profile.name
      },
      read: async (request) => sessionOf<Session>(request).get('profile').name,
      async write(request) {
        const session = sessionOf<Session>(request)
        session.set('visits', session.get('visits') + 1)
        return session.get('profile').name
      },
      async show(request) {
        const session = sessionOf<Session>(request)
        return { profile: session.get('profile'), visits: session.get('visits') }
      }
    }
  )
