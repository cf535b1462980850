// TypeScript 5.5 does not know yet that Node can require an ES module; the marks say so.
import Fastify = require('fastify')
import whole = require('fastify-typed-session') //! 5.5:1471

import type { Session } from 'fastify-typed-session' //! 5.5:1479

declare module 'fastify-typed-session' {
  //! 5.5:1479
  interface SessionData {
    visits: number
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(verdict: Equal<A, B>): void

const { session, getSession } = whole
const app = Fastify()

app.register(session, { secret: process.env.SESSION_SECRET })
app.register(whole.default, { secret: process.env.SESSION_SECRET })
app.get('/', async (request) => {
  same<typeof request.session, Session>(true)
  same<typeof request.session.visits, number | undefined>(true)
  return getSession(request).visits
})
