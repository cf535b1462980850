import csrfProtection from '@fastify/csrf-protection'
import flash from '@fastify/flash'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import session, { sameOriginOnly } from 'fastify-typed-session'
import deviceBound from 'fastify-typed-session/device-bound'
import inspector from 'fastify-typed-session/inspector'
import login from 'fastify-typed-session/login'
import { page } from './layout.ts'
import type { Mode } from './modes.ts'
import { actingPages } from './pages/acting.ts'
import { adminPages } from './pages/admin.ts'
import { apiRoutes } from './pages/api.ts'
import { cartPages } from './pages/cart.ts'
import { dashboardPage } from './pages/dashboard.ts'
import { devicesPages } from './pages/devices.ts'
import { loginPages } from './pages/login.ts'
import { migrationPages } from './pages/migration.ts'
import { namesPages } from './pages/names.ts'
import { staffPages } from './pages/staff.ts'
import { startPage } from './pages/start.ts'
import { migrations, schema } from './schema.ts'
import type { SiteOptions } from './session-options.ts'
import { sessionOptions } from './session-options.ts'
import { timeLeft } from './time-left.ts'
import { authenticate } from './tokens.ts'
import { findUser } from './users.ts'
import { buildYesterday } from './yesterday.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The kind of session of this part of the application. */
    readonly mode: Mode
    /** The server of before the last deploy. */
    readonly yesterday: FastifyInstance
  }
}

/** All pages with one kind of session, `mode`. */
export const site: FastifyPluginAsync<SiteOptions> = async (app, options) => {
  const { mode, secret, clock = Date.now } = options
  app.decorate('mode', mode)
  const lasting = sessionOptions(options)
  await app.register(session, { ...lasting, schema, schemaVersion: 2, migrations })
  // Over HTTPS, and in browsers that can.
  await app.register(deviceBound, { path: '/device' })
  await app.register(login, {
    loadUser: findUser,
    authenticate,
    authHash: (user) => user.passwordHash,
    roles: (user) => user.roles,
    loginPath: `${app.prefix}/login`,
    remember: mode.isStored,
    clock
  })
  await app.register(csrfProtection, { sessionPlugin: '@fastify/session' })
  await app.register(flash)

  const yesterday = await buildYesterday(lasting)
  app.decorate('yesterday', yesterday)
  app.addHook('onClose', () => yesterday.close())

  await app.register(timeLeft, { clock })
  await app.register(apiRoutes)
  await app.register(pages, { secret, clock })
}

async function pages(app: FastifyInstance, options: Pick<SiteOptions, 'secret' | 'clock'>): Promise<void> {
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

  const all = [startPage, loginPages, dashboardPage, cartPages, namesPages, devicesPages, adminPages, migrationPages]
  for (const plugin of [...all, actingPages]) await app.register(plugin)
  await app.register(staffPages, options)
  await app.register(inspector, {
    path: '/inspector',
    // This demo has no real users. Never set this in an application that has some.
    allowOutsideDevelopment: true,
    layout: (content, _request, reply) => page(reply, 'Session inspector', { html: content })
  })
}
