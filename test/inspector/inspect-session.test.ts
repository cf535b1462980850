import fastify from 'fastify'
import t from 'tap'
import { inspectSession, offerInspection } from '../../lib/inspector/inspect-session.ts'
import type { SessionInspection } from '../../types/inspector.ts'

const inspection = (cookieName: string): SessionInspection => ({ cookieName }) as SessionInspection

t.test('an inspection is found in its scope and in inner scopes', async (t) => {
  const app = fastify()
  app.register(async (scope) => {
    offerInspection(scope, 'session', () => inspection('session'))
    offerInspection(scope, 'admin', () => inspection('admin'))
    scope.register(async (inner) => {
      inner.get('/in', async (request) => [
        inspectSession(request).cookieName,
        inspectSession(request, 'admin').cookieName
      ])
    })
  })
  app.get('/out', async (request) => inspectSession(request))
  t.same((await app.inject('/in')).json(), ['session', 'admin'])
  t.match((await app.inject('/out')).json(), { code: 'ERR_SESSION_NOT_REGISTERED' })
})

t.test('a session has one inspector', async (t) => {
  const app = fastify()
  offerInspection(app, 'session', () => inspection('session'))
  t.throws(() => offerInspection(app, 'session', () => inspection('session')), { code: 'ERR_SESSION_DUPLICATE' })
})
