import { Authenticator } from '@fastify/passport'
import fastify, { type FastifyRequest, type PassportUser } from 'fastify'
import session, { getSession, type Session } from 'fastify-typed-session'
import { Strategy as LocalStrategy } from 'passport-local'
import OAuth2Strategy from 'passport-oauth2'
import { same } from '../expect.ts'

declare module 'fastify-typed-session' {
  interface SessionData {
    returnTo: string
  }
}

declare module 'fastify' {
  interface PassportUser {
    id: number
    name: string
  }
}

declare const request: FastifyRequest
declare const users: Map<number, PassportUser>
const safe = getSession(request)

// passport's declarations stand beside ours and leave the session alone.
same<typeof request.session, Session>(true)
same<typeof safe, Session>(true)
same<typeof request.session.returnTo, string | undefined>(true)
same<typeof request.user, PassportUser | undefined>(true)
request.session.passport //! 2339
request.session.returnTo = 7 //! 2322

const app = fastify()
const passport = new Authenticator({ clearSessionIgnoreFields: ['returnTo'] })
await app.register(session, { secret: process.env.SESSION_SECRET })
await app.register(passport.initialize())
await app.register(passport.secureSession())

passport.use(new LocalStrategy((name, _password, done) => done(null, { id: 7, name })))
passport.use(
  new OAuth2Strategy(
    {
      authorizationURL: 'https://provider.example/authorize',
      tokenURL: 'https://provider.example/token',
      clientID: 'shop',
      clientSecret: 'secret',
      state: true,
      pkce: true
    },
    (_access: string, _refresh: string, _profile: unknown, done: OAuth2Strategy.VerifyCallback) => done(null, {})
  )
)
passport.registerUserSerializer(async (user: PassportUser) => user.id)
passport.registerUserDeserializer(async (id: number) => users.get(id) ?? false)

const preValidation = passport.authenticate('local', { successReturnToOrRedirect: '/', keepSessionInfo: true })
app.post('/login', { preValidation }, async ({ session, user }) => {
  session.permanent = true
  if (user) session.setOwner(user.id.toFixed())
})
app.post('/logout', (request) => request.logout())
