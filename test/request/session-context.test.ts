import { inspect } from 'node:util'
import t from 'tap'
import type { SessionOptions } from '../../lib/index.ts'
import { session } from '../../lib/index.ts'
import { getSession } from '../../lib/request/get-session.ts'
import { getSessions } from '../../lib/request/get-sessions.ts'
import { sessionContext } from '../../lib/request/session-context.ts'
import { VERSION } from '../../lib/util/version.ts'
import { createApp, OTHER_SECRET, SECRET } from '../helpers/app.ts'

t.test('a scope finds the context of a session that was registered in it or above it', async (t) => {
  const { app } = await createApp()
  await app.register(async (scope) => {
    await scope.register(session, {
      secret: OTHER_SECRET,
      decorator: 'adminSession',
      cookieName: 'admin'
    } as SessionOptions)
    t.equal(sessionContext(scope, 'session'), sessionContext(app, 'session'))
    t.equal(sessionContext(scope, 'adminSession')?.settings.cookieName, 'admin')
    t.not(getSessions(scope, 'adminSession'), app.sessions)
    t.notOk('adminSessions' in scope, 'there is one way')
  })
  await app.ready()
  t.same(sessionContext(app, 'session')?.settings.secrets, [Buffer.from(SECRET)])
  t.equal(sessionContext(app, 'adminSession'), undefined)
  for (const nothing of [{}, undefined, null, 1, 'text']) t.equal(sessionContext(nothing, 'session'), undefined)
})

t.test('getSessions returns app.sessions, and says what is missing', async (t) => {
  const { app } = await createApp()
  t.equal(getSessions(app), app.sessions)
  t.equal(getSessions(app, 'session'), app.sessions)
  t.throws(() => getSessions({}), { code: 'ERR_SESSION_NOT_REGISTERED', message: /^This app.* 'session'\. .* it\.$/ })
  t.throws(() => getSessions(app, 'adminSession'), {
    code: 'ERR_SESSION_NOT_REGISTERED',
    message: /, with decorator: 'adminSession'\.$/
  })
})

t.test('app.sessions tells no secret to a logger or to JSON', async (t) => {
  const { app } = await createApp()
  t.notMatch(inspect(app.sessions, { depth: null }), /secrets/)
  t.equal(JSON.stringify(app.sessions), '{}')
  t.same(Object.keys(app.sessions), [])
})

t.test('two copies of the package are told apart, with their versions', async (t) => {
  const { app } = await createApp()
  app.get('/', async (request) => {
    // As the sessions of another copy are marked.
    const other = Object.create({ [Symbol.for('fastify-typed-session')]: '0.0.9' })
    const message = new RegExp(`two copies .* version 0.0.9 has .* version ${VERSION} is asked for it\\. .*npm ls`)
    const error = { code: 'ERR_SESSION_DUPLICATE', message }
    t.equal(Reflect.get(request.session, Symbol.for('fastify-typed-session')), VERSION)
    t.throws(() => getSession({ ...request, session: other } as never), error)
    t.throws(() => getSession({ ...request, session: {} } as never), { code: 'ERR_SESSION_NOT_REGISTERED' })
    t.equal(getSession(request), request.session)
    return 'ok'
  })
  t.equal((await app.inject('/')).statusCode, 200)
  const context = sessionContext(app, 'session')
  const [key] = Object.getOwnPropertySymbols(app).filter((symbol) => Reflect.get(app, symbol) === context)
  const foreign = { [key as symbol]: { version: '0.0.9', sessions: {} } }
  t.throws(() => sessionContext(foreign, 'session'), { code: 'ERR_SESSION_DUPLICATE', message: /version 0\.0\.9 has/ })
})
