import csrfProtection from '@fastify/csrf-protection'
import flash from '@fastify/flash'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { SessionStore } from 'fastify-typed-session'
import session, { sameOriginOnly } from 'fastify-typed-session'
import inspector from 'fastify-typed-session/inspector'
import login from 'fastify-typed-session/login'
import { page } from './layout.ts'
import type { Mode } from './modes.ts'
import { cartPages } from './pages/cart.ts'
import { dashboardPage } from './pages/dashboard.ts'
import { devicesPages } from './pages/devices.ts'
import { loginPages } from './pages/login.ts'
import { namesPages } from './pages/names.ts'
import { startPage } from './pages/start.ts'
import { timeLeft } from './time-left.ts'
import { findUser } from './users.ts'

declare module 'fastify-typed-session' {
  interface SessionData {
    visits: number
    cart: Record<string, number>
    names: string[]
    /** The messages of `@fastify/flash` for the next page. */
    flash: Record<string, string[]>
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The kind of session of this part of the application. */
    readonly mode: Mode
  }
}

export interface SiteOptions {
  readonly mode: Mode
  readonly secret: string | undefined
  /** The store of the stored sessions. */
  readonly store: SessionStore
  /** Returns milliseconds since 1970. For tests. */
  readonly clock?: () => number
}

/** All pages with one kind of session, `mode`. */
export const site: FastifyPluginAsync<SiteOptions> = async (app, { mode, secret, store, clock = Date.now }) => {
  app.decorate('mode', mode)
  await app.register(session, {
    ...mode.options(store, clock),
    secret,
    clock,
    // Behind HTTPS. No other host of the domain can plant a cookie with this prefix.
    cookieName: `${process.env.NODE_ENV === 'production' ? '__Host-' : ''}${mode.name}-session`,
    // Short, so that you can watch the session end. With `refreshAfter: 0` every page counts as activity.
    idleTimeout: 5 * 60,
    refreshAfter: 0
  })
  await app.register(login, {
    loadUser: findUser,
    authHash: (user) => user.passwordHash,
    loginPath: `${app.prefix}/login`,
    remember: mode.isStored,
    clock
  })
  await app.register(csrfProtection, { sessionPlugin: '@fastify/session' })
  await app.register(flash)

  await app.register(timeLeft, { clock })
  await app.register(pages)
}

async function pages(app: FastifyInstance): Promise<void> {
  // Two defences: an old browser may not say from which site a request comes, and a token can leak.
  app.addHook('onRequest', sameOriginOnly())
  // One hook for all forms, so that no form can be forgotten.
  app.addHook('preValidation', function checkCsrfToken(request, reply, done) {
    if (request.method === 'POST') app.csrfProtection(request, reply, done)
    else done()
  })
  app.addHook('preHandler', async function loadUser(request) {
    await request.loadUser()
  })

  for (const plugin of [startPage, loginPages, dashboardPage, cartPages, namesPages, devicesPages]) {
    await app.register(plugin)
  }
  await app.register(inspector, {
    path: '/inspector',
    // This demo has no real users. Never set this in an application that has some.
    allowOutsideDevelopment: true,
    layout: (content, _request, reply) => page(reply, 'Session inspector', { html: content })
  })
}
