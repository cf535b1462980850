// Further login kits, beside the one at request.user.
import fastify from 'fastify'
import session, { and, getSession, requireSession } from 'fastify-typed-session'
import {
  getLogin,
  getLoginGuards,
  type Login,
  type LoginGuards,
  type LoginName,
  type LoginOptions,
  login,
  type User,
  type UserOf
} from 'fastify-typed-session/login'
import { createClient } from 'fastify-typed-session/testing'
import { same, typed } from '../expect.ts'

interface Admin {
  email: string
  level: number
}

declare module 'fastify-typed-session/login' {
  interface LoginUsers {
    adminUser: Admin
    partner: { company: string }
  }
}

declare const ada: User
declare const root: Admin
declare function findAdmin(id: string): Promise<Admin | undefined>

same<LoginName, 'user' | 'adminUser' | 'partner'>(true)
same<UserOf<'adminUser'>, Admin>(true)
same<UserOf<'user'>, User>(true)

const app = fastify()
await app.register(session, { secret: process.env.SESSION_SECRET, decorator: 'adminSession', cookieName: 'admin' })
await app.register(login<'adminUser'>, {
  userDecorator: 'adminUser',
  decorator: 'adminSession',
  loadUser: (id) => {
    typed<string>(id)
    return findAdmin(id)
  },
  getId: (admin) => {
    same<typeof admin, Admin>(true)
    return admin.email
  },
  roles: ({ level }) => (level > 1 ? ['owner'] : []),
  authHash: (admin) => admin.email,
  loginPath: ({ url }) => (url.startsWith('/de/') ? '/de/admin/login' : '/admin/login'),
  confirmPath: (request) => {
    typed<string>(request.ip)
    return '/admin/confirm'
  }
})
await app.register(login, { loadUser: () => ada, loginPath: (request) => `/${request.hostname}/login` })
await app.register(login, { userDecorator: 'user', loadUser: () => ada, getId: (user) => user.name })
app.register(login, { userDecorator: 'adminUser', loadUser: () => ada }) //! 2769 "Problem<"the plugin of a kit with another name"
app.register(login<'adminUser'>, { userDecorator: 'adminUser', loadUser: () => ada }) //! 2769
app.register(login<'adminUser'>, { userDecorator: 'partner', loadUser: findAdmin }) //! 2769
app.register(login<'adminUser'>, { loadUser: findAdmin }) //! 2769
export const nobody = login<'nobody'> //! 2344|2635
app.register(login, { userDecorator: 'nobody', loadUser: () => ada }) //! 2769
app.register(login, { loadUser: findAdmin }) //! 2769
app.register(login, { loadUser: () => ada, loginPath: async () => '/login' }) //! 2769
app.register(login, { loadUser: () => ada, confirmPath: () => undefined }) //! 2769
typed<LoginOptions<'partner'>>({
  userDecorator: 'partner',
  loadUser: () => ({ company: 'Acme' }),
  getId: ({ company }) => company
})

app.get('/', async (request) => {
  same<typeof request.adminUser, Admin | null>(true)
  same<typeof request.user, User | null>(true)
  request.adminUser = root //! 2540
  const admins = getLogin(request, 'adminUser')
  same<typeof admins, Login<Admin>>(true)
  same<typeof admins.user, Admin | null>(true)
  same<Awaited<ReturnType<typeof admins.loadUser>>, Admin | null>(true)
  same<typeof admins.authenticatedAt, Date | null>(true)
  await admins.login(root, { remember: true })
  await admins.login(ada) //! 2345|2739
  await admins.confirmLogin()
  await admins.rehashed(root)
  typed<number>(await admins.logoutOthers())
  await admins.logout()
  typed<Login>(getLogin(request, 'user'))
  getLogin(request, 'nobody') //! 2345
  getLogin(request) //! 2554
  getLogin(app, 'adminUser') //! 2345|2739|2740|2741
  return getSession<{ visits: number }>(request, 'adminSession').visits
})

const { loginRequired, freshLoginRequired, requireRole } = getLoginGuards(app, 'adminUser')
typed<LoginGuards<'adminUser'>>(getLoginGuards(app, 'adminUser'))
getLoginGuards(app, 'nobody') //! 2345
app.get(
  '/admin',
  loginRequired().handle(async (request) => {
    same<typeof request.adminUser, Admin>(true)
    same<typeof request.user, User | null>(true)
    return request.adminUser.email
  })
)
app.post(
  '/admin/level',
  freshLoginRequired({ within: 600 }).handle(async (request) => request.adminUser.level.toFixed())
)
app.get(
  '/both',
  and(app.loginRequired(), requireRole('owner'), requireSession('cart')).handle(async (request) => {
    same<typeof request.adminUser, Admin>(true)
    same<typeof request.user, User>(true)
    return Object.keys(request.session.cart)
  })
)
app.get(
  '/mine',
  app.loginRequired().handle(async (request) => request.adminUser.email) //! 18047
)
app.loginRequired({ redirectTo: async () => '/login' }) //! 2322
app.loginRequired({ redirectTo: ({ hostname }) => `/${hostname}` })

await createClient(app, { user: root, decorator: 'adminSession' })
await createClient(app, { user: { company: 'Acme' } })

// HTTP/2.
const http2 = fastify({ http2: true })
http2.get(
  '/',
  getLoginGuards(http2, 'adminUser')
    .loginRequired()
    .handle(async (request) => getLogin(request, 'adminUser').user?.email ?? request.adminUser.email)
)
