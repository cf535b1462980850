import type { FastifyInstance } from 'fastify'
import type {
  CookieSessionOptions,
  RevocableSessionOptions,
  SchemaOptions,
  StoredSessionOptions
} from '../../../dist/lib/index.js'
import type { Account } from '../accounts.ts'
import type { Start } from './fastify.ts'
import { create, sessionOf } from './fastify.ts'
import { importLibrary } from './library.ts'
import { COOKIE_NAME, SECRET } from './settings.ts'

type Mode = (CookieSessionOptions | RevocableSessionOptions | StoredSessionOptions) & SchemaOptions

/**
 * This package, in one of its modes, with every default. `others`: how many sessions with other names the application has. `more`:
 * registers what is on top of the session.
 */
export function startOurs(
  mode: () => Mode | Promise<Mode>,
  others = 0,
  more: (app: FastifyInstance) => Promise<void> = async () => {}
): Start {
  return (circumstances) =>
    create(
      circumstances,
      async (app) => {
        const { session } = await importLibrary()
        await app.register(session, { secret: SECRET, ...(await mode()), cookieName: COOKIE_NAME })
        for (let index = 0; index < others; index++) {
          await app.register(session, { secret: SECRET, decorator: `session${index}`, cookieName: `other${index}` })
        }
        await more(app)
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
          const { profile, visits } = sessionOf<Partial<Account>>(request)
          return { profile, visits } as Partial<Account>
        }
      }
    )
}
