import csrfProtection from '@fastify/csrf-protection'
import flash from '@fastify/flash'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { SessionStore } from 'fastify-typed-session'
import session from 'fastify-typed-session'
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
    /** What `@fastify/flash` keeps for the next page. */
    flash: Record<string, string[]>
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    /** How this part of the application keeps its sessions. */
    readonly mode: Mode
  }
}

export interface SiteOptions {
  readonly mode: Mode
  readonly secret: string | undefined
  /** Where sessions are that are kept on the server. */
  readonly store: SessionStore
  /** Milliseconds since 1970. For tests. */
  readonly clock?: () => number
}

/** All pages, with one kind of session. Only here is said which one. */
export const site: FastifyPluginAsync<SiteOptions> = async (app, { mode, secret, store, clock = Date.now }) => {
  app.decorate('mode', mode)
  await app.register(session, {
    ...mode.options(store),
    secret,
    clock,
    cookieName: `${mode.name}-session`,
    // Five minutes to the second, so that there is something to watch: every page counts as activity.
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
  // Once for all forms, so that none can be forgotten.
  app.addHook('preValidation', function checkCsrfToken(request, reply, done) {
    if (request.method === 'POST') app.csrfProtection(request, reply, done)
    else done()
  })
  app.addHook('preHandler', async function findOutWhoIsThere(request) {
    await request.loadUser()
  })

  for (const plugin of [startPage, loginPages, dashboardPage, cartPages, namesPages, devicesPages]) {
    await app.register(plugin)
  }
  await app.register(inspector, {
    path: '/inspector',
    // This application is there to be looked into, and nobody has anything to lose in it. Yours is not.
    allowInProduction: true,
    layout: (content, _request, reply) => page(reply, 'Session inspector', { html: content })
  })
}
