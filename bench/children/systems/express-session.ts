import type { Request } from 'express'
import expressSession from 'express-session'
import type { Account } from '../accounts.ts'
import type { Start } from '../server.ts'
import { serve } from './express.ts'
import { COOKIE_ATTRIBUTES, COOKIE_NAME, SECRET } from './settings.ts'

const OPTIONS = {
  secret: SECRET,
  name: COOKIE_NAME,
  cookie: COOKIE_ATTRIBUTES,
  resave: false,
  saveUninitialized: false
}

/** Returns the session with the type of its data, which the bench does not declare because its systems differ. */
function sessionOf(request: Request): Account {
  return request.session as unknown as Account
}

/** `store`: the default is the memory store of express-session. */
export function startExpressSession(store?: () => Promise<expressSession.Store>): Start {
  return async (accounts) => {
    const options = store === undefined ? OPTIONS : { ...OPTIONS, store: await store() }
    return serve(accounts, (app) => app.use(expressSession(options)), {
      logIn(request, { profile, visits }) {
        const session = sessionOf(request)
        session.profile = profile
        session.visits = visits
        return profile.name
      },
      read: (request) => sessionOf(request).profile.name,
      write(request) {
        const session = sessionOf(request)
        session.visits++
        return session.profile.name
      },
      show(request) {
        const { profile, visits } = sessionOf(request)
        return { profile, visits }
      }
    })
  }
}

export const start: Start = startExpressSession()
