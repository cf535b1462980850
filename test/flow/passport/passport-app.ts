import formbody from '@fastify/formbody'
import { Authenticator } from '@fastify/passport'
import type { LightMyRequestResponse } from 'fastify'
import { Strategy as LocalStrategy } from 'passport-local'
import type { Client } from '../../../lib/testing/create-client.ts'
import type { TestApp } from '../../helpers/app.ts'

declare module 'fastify' {
  interface PassportUser {
    name: string
  }
}

/** What a visit to /shop leaves behind. */
export const SHOPPED = { visits: 3, nested: { deep: [{ value: 1 }] }, returnTo: '/basket' }

interface User {
  name: string
  password: string
}

type Passport = InstanceType<typeof Authenticator>

export interface PassportOptions {
  authenticator?: ConstructorParameters<typeof Authenticator>[0]
  login?: Parameters<Passport['authenticate']>[1]
}

export interface PassportParts {
  passport: Passport
  users: Map<string, User>
  /** What runs before a password is checked and before a user is loaded. It may wait, or fail. */
  before: { check: () => unknown; load: (request: object) => unknown }
}

/** Passport on top of an application with our session: two users, a login, a logout, and what to look at. */
export async function addPassport<App extends TestApp>(
  made: App,
  { authenticator, login }: PassportOptions = {}
): Promise<App & PassportParts> {
  const { app } = made
  const passport = new Authenticator(authenticator)
  const users = new Map(['ada', 'grace'].map((name) => [name, { name, password: `${name}'s password` }]))
  const before: PassportParts['before'] = { check: () => undefined, load: () => undefined }
  passport.use(
    new LocalStrategy(async (name, password, done) => {
      await before.check()
      const user = users.get(name)
      if (user?.password === password) done(null, user)
      else done(null, false, { message: 'Wrong name or password.' })
    })
  )
  passport.registerUserSerializer(async (user: User) => user.name)
  passport.registerUserDeserializer(async (name: string, request) => {
    await before.load(request)
    return users.get(name) ?? false
  })
  await app.register(formbody)
  await app.register(passport.initialize())
  await app.register(passport.secureSession())

  const route = { preValidation: passport.authenticate('local', { failureRedirect: '/login', ...login }) }
  app.post('/login', route, async (_request, reply) => reply.redirect('/me', 303))
  app.post('/logout', async (request, reply) => {
    await request.logout()
    return reply.redirect('/', 303)
  })
  app.get('/me', async (request, reply) => {
    if (request.isUnauthenticated()) return reply.code(401).send('who are you?')
    return request.user?.name
  })
  app.get('/shop', async ({ session }) => {
    Object.assign(session, SHOPPED)
    session.permanent = true
    return ''
  })
  app.get('/session', async ({ session }) => {
    const { id, createdAt, permanent, ownerId } = session
    return { id, createdAt, permanent, ownerId, data: session.data() }
  })
  app.get('/messages', async (_request, reply) => reply.flash())
  return { ...made, passport, users, before }
}

/** Sends the form of a login; with the right password, unless another one is given. */
export function logIn(
  visitor: Client,
  name: string,
  { password = `${name}'s password`, url = '/login' } = {}
): Promise<LightMyRequestResponse> {
  return visitor.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ username: name, password }).toString()
  })
}

export function logOut(visitor: Client): Promise<LightMyRequestResponse> {
  return visitor.post('/logout')
}
