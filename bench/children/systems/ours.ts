import type { CookieSessionOptions, SchemaOptions, StoredSessionOptions } from '../../../dist/lib/index.js'
import session from '../../../dist/lib/index.js'
import type { Account } from '../accounts.ts'
import type { Start } from '../server.ts'
import { serve, sessionOf } from './fastify.ts'
import { COOKIE_ATTRIBUTES, COOKIE_NAME, SECRET } from './settings.ts'

type Mode = (CookieSessionOptions | StoredSessionOptions) & SchemaOptions

/** This package as built, in one of its modes. */
export function startOurs(mode: () => Mode | Promise<Mode>): Start {
  return (accounts) =>
    serve(
      accounts,
      async (app) =>
        app.register(session, {
          secret: SECRET,
          ...(await mode()),
          cookieName: COOKIE_NAME,
          cookie: COOKIE_ATTRIBUTES
        }),
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
          const { profile, visits } = sessionOf<Partial<Account>>(request)
          return { profile, visits } as Partial<Account>
        }
      }
    )
}
