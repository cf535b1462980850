import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyServerOptions, LightMyRequestResponse } from 'fastify'
import { guardsFor, MemoryStore, safeNext } from '../../lib/index.ts'
import type { LoginEvent, LoginOptions, User } from '../../lib/login/index.ts'
import { getLogin, getLoginGuards, login } from '../../lib/login/index.ts'
import { Client } from '../../lib/testing/create-client.ts'
import type { LooseOptions, TestApp } from './app.ts'
import { addSession, createApp } from './app.ts'
import { RecordingStore } from './recording-store.ts'

/** A user of the second kit in tests. */
export interface Admin {
  id: number
  email: string
  password: string
}

// The only augmentation of User and LoginUsers in test/, because a program has only one.
declare module '../../types/login.ts' {
  interface LoginUsers {
    adminUser: Admin
  }

  interface User {
    id: string | number
    name: string
    password: string
    roles: string[]
  }
}

/** The body of a login request. */
interface LoginForm {
  id: string | number
  remember?: boolean
  fresh?: boolean
}

export interface KitApp extends TestApp {
  /** All users, by id as a string. */
  users: Map<string, User>
  /** The ids with which `loadUser` was called. */
  loads: string[]
}

export const ANA: User = { id: 1, name: 'Ana', password: 'a', roles: ['admin'] }
export const BEN: User = { id: 2, name: 'Ben', password: 'b', roles: [] }

/** Creates an application with the login kit and the routes that its stories need. */
export async function createKitApp(
  options: LooseOptions = {},
  kit: Partial<LoginOptions> = {},
  server: FastifyServerOptions = {}
): Promise<KitApp> {
  const made = await createApp(options, server)
  const { app } = made
  const users = new Map([ANA, BEN].map((user) => [String(user.id), { ...user }]))
  const loads: string[] = []
  const loadUser = (id: string): User | undefined => {
    loads.push(id)
    return users.get(id)
  }
  await app.register(login, { loadUser, loginPath: '/login', ...kit })

  app.post<{ Body: LoginForm }>('/login', async (request) => {
    const { id, ...how } = request.body
    await request.login(users.get(String(id)) as User, how)
    return { next: safeNext(request, '/me'), name: request.user?.name }
  })
  app.post('/logout', async (request) => {
    await request.logout()
    return { user: request.user }
  })
  app.post('/confirm', async (request) => {
    await request.confirmLogin()
    return 'confirmed'
  })
  app.post('/logout-others', async (request) => request.logoutOthers())
  app.get(
    '/me',
    app.loginRequired().handle(async ({ user }) => user.name)
  )
  app.get('/who', async (request) => (await request.loadUser())?.name ?? 'nobody')
  app.get('/at', async (request) => {
    await request.loadUser()
    return { at: request.authenticatedAt }
  })
  app.get(
    '/fresh',
    app.freshLoginRequired({ within: 600 }).handle(async ({ user }) => user.name)
  )
  app.get('/public', async () => 'for everybody')
  app.get('/cart', async ({ session }) => {
    session.cart = { ...session.cart, book: (session.cart?.book ?? 0) + 1 }
    return session.cart
  })
  app.get('/data', async ({ session }) => ({ ...session }))
  app.get('/id', async ({ session }) => session.id)
  app.get('/life', async ({ session }) => ({ createdAt: session.createdAt, expiresAt: session.expiresAt }))
  return { ...made, users, loads }
}

/** Creates the same application with a store that records its calls. */
export async function createStoredKitApp(
  kit: Partial<LoginOptions> = { remember: true },
  options: Omit<LooseOptions, 'store'> = {}
): Promise<KitApp & { store: RecordingStore }> {
  let store: RecordingStore | undefined
  const made = await createKitApp(
    {
      ...options,
      store: (clock) => {
        store = new RecordingStore(new MemoryStore({ clock, pruneInterval: 0 }))
        return store
      }
    },
    kit
  )
  return { ...made, store: store as unknown as RecordingStore }
}

/** The administrator has the id of a user. */
export const ROOT: Admin = { id: 1, email: 'root@shop.test', password: 'r' }

/** Creates the application with a second kit beside the first, whose routes are below `/admin`. Both have their own session. */
export async function createTwoKitsApp(
  options: LooseOptions = {},
  kit: Pick<LoginOptions, 'remember'> = {},
  adminKit: Partial<LoginOptions<'adminUser'>> = {}
): Promise<KitApp & { admins: Map<string, Admin> }> {
  const made = await createKitApp(options, kit)
  const { app, clock } = made
  await addSession(app, clock, { ...options, decorator: 'adminSession', cookieName: 'admin' })
  const admins = new Map([['1', { ...ROOT }]])
  await app.register(login<'adminUser'>, {
    userDecorator: 'adminUser',
    decorator: 'adminSession',
    loadUser: (id) => admins.get(id),
    roles: ({ id }) => (id === 1 ? ['owner'] : []),
    loginPath: '/admin/login',
    ...(kit.remember !== undefined && { remember: { cookieName: 'admin-remember' } }),
    ...adminKit
  })
  const { loginRequired, freshLoginRequired, requireRole } = getLoginGuards(app, 'adminUser')
  const { safeNext: adminNext } = guardsFor('adminSession')

  app.post<{ Body: LoginForm }>('/admin/login', async (request) => {
    const { id, ...how } = request.body
    await getLogin(request, 'adminUser').login(admins.get(String(id)) as Admin, how)
    return { next: adminNext(request, '/admin/me'), email: request.adminUser?.email }
  })
  app.post('/admin/logout', async (request) => {
    await getLogin(request, 'adminUser').logout()
    return { user: request.adminUser }
  })
  app.post('/admin/logout-others', async (request) => getLogin(request, 'adminUser').logoutOthers())
  app.get(
    '/admin/me',
    loginRequired().handle(async ({ adminUser }) => adminUser.email)
  )
  app.get(
    '/admin/fresh',
    freshLoginRequired().handle(async ({ adminUser }) => adminUser.email)
  )
  app.get(
    '/admin/owner',
    requireRole('owner').handle(async ({ adminUser }) => adminUser.email)
  )
  app.get('/admin/who', async (request) => (await getLogin(request, 'adminUser').loadUser())?.email ?? 'nobody')
  return { ...made, admins }
}

/** A browser with methods for these routes. */
export class Member extends Client {
  submit(url: string, payload: object = {}, headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    return this.post(url, { payload, headers })
  }

  login(id: string | number, how: Omit<LoginForm, 'id'> = {}): Promise<LightMyRequestResponse> {
    return this.submit('/login', { id, ...how })
  }

  async read(url: string): Promise<string> {
    return (await this.get(url)).body
  }

  cookie(name: 'session' | 'remember' | 'admin' | 'admin-remember'): string {
    return this.jar.get(name) ?? ''
  }

  /** Returns the names of all cookies, sorted. */
  names(): string[] {
    return this.jar
      .header()
      .split('; ')
      .filter(Boolean)
      .map((cookie) => cookie.split('=', 1)[0] ?? '')
      .sort()
  }

  /** Restarts the browser, which removes the session cookie. */
  restart(): void {
    this.forget('session')
  }

  forget(name: string): void {
    this.jar.take({ headers: { 'set-cookie': `${name}=; Path=/; Max-Age=0` } })
  }
}

/** Returns the events of the kit while `run` runs. */
export async function loginEventsOf(run: () => Promise<unknown>): Promise<LoginEvent[]> {
  const events: LoginEvent[] = []
  const note = (message: unknown): void => void events.push(message as LoginEvent)
  subscribe('fastify-typed-session/login', note)
  try {
    await run()
  } finally {
    unsubscribe('fastify-typed-session/login', note)
  }
  return events
}

/** Returns the events as `type userId`, with the reason of a refusal. */
export async function tellEventsOf(run: () => Promise<unknown>): Promise<string[]> {
  const events = await loginEventsOf(run)
  return events.map(({ type, userId, reason }) => [type, userId ?? 'nobody', reason].filter(Boolean).join(' '))
}
