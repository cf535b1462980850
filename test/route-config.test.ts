import type { FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { readRouteConfig, routePolicy } from '../lib/route-config.ts'
import type { SessionRouteConfig } from '../types/options.ts'

const REFUSED = { code: 'ERR_SESSION_OPTION_INVALID', message: /must be false, or an object with touch: true or false/ }

t.test('a route without a config has a session, and its requests count as activity', (t) => {
  t.same(readRouteConfig(undefined), { enabled: true, touch: true })
  t.same(readRouteConfig({} as SessionRouteConfig), { enabled: true, touch: true })
  t.end()
})

t.test('a route can do without a session, or without counting as activity', (t) => {
  t.same(readRouteConfig(false), { enabled: false, touch: false })
  t.same(readRouteConfig({ touch: false }), { enabled: true, touch: false })
  t.same(readRouteConfig({ touch: true }), { enabled: true, touch: true })
  t.end()
})

t.test('every other config is refused, with what to write', (t) => {
  const wrong: readonly unknown[] = [true, null, 0, 1, '', 'false', () => false, { touch: 1 }, { Touch: false }]
  for (const config of [...wrong, { touch: true, more: 1 }, { session: false }, ['touch']]) {
    t.throws(() => readRouteConfig(config as SessionRouteConfig), REFUSED, String(config))
  }
  t.end()
})

t.test('an empty array, and null for true or false, are refused as well', (t) => {
  t.throws(() => readRouteConfig([] as unknown as SessionRouteConfig), REFUSED)
  t.throws(() => readRouteConfig({ touch: null } as unknown as SessionRouteConfig), REFUSED)
  t.end()
})

t.test('a config is not written to', (t) => {
  const config = Object.freeze({ touch: false })
  t.not(readRouteConfig(config), config)
  t.same(config, { touch: false })
  t.end()
})

t.test('the policy of a request is that of its route, and the default where there is no route', async (t) => {
  const app = fastify()
  const policyOf = async (request: FastifyRequest): Promise<unknown> => routePolicy(request)
  app.get('/default', policyOf)
  app.get('/off', { config: { session: false } }, policyOf)
  app.get('/quiet', { config: { session: { touch: false } } }, policyOf)
  app.setNotFoundHandler(policyOf)
  const answers = await Promise.all(['/default', '/off', '/quiet', '/nowhere'].map((url) => app.inject(url)))
  t.same(
    answers.map((answer) => answer.json()),
    [
      { enabled: true, touch: true },
      { enabled: false, touch: false },
      { enabled: true, touch: false },
      { enabled: true, touch: true }
    ]
  )
  t.same(routePolicy({ routeOptions: {} } as FastifyRequest), { enabled: true, touch: true }, 'without any config')
})
