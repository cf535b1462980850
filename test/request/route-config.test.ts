import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { RoutePolicies, readRouteConfig, routePolicy } from '../../lib/request/route-config.ts'
import type { SessionRouteConfig } from '../../types/options.ts'

const DEFAULT = { enabled: true, touch: true, anonymousOnStoreError: false, deviceOptional: false }
const DISABLED = { enabled: false, touch: false, anonymousOnStoreError: false, deviceOptional: false }
const REFUSED = { code: 'ERR_SESSION_OPTION_INVALID', message: /must be false, or an object with touch: true or false/ }

t.test('a route without a config has a session, and its requests count as activity', (t) => {
  t.same(readRouteConfig(undefined), DEFAULT)
  t.same(readRouteConfig({} as SessionRouteConfig), DEFAULT)
  t.end()
})

t.test('a route can do without a session, or without counting as activity', (t) => {
  t.same(readRouteConfig(false), DISABLED)
  t.same(readRouteConfig({ touch: false }), { ...DEFAULT, touch: false })
  t.same(readRouteConfig({ touch: true }), DEFAULT)
  t.end()
})

t.test('a route can be served without its session while the store is down', (t) => {
  t.same(readRouteConfig({ onStoreError: 'anonymous' }), { ...DEFAULT, anonymousOnStoreError: true })
  const both = readRouteConfig({ touch: false, onStoreError: 'anonymous' })
  t.same(both, { ...DEFAULT, touch: false, anonymousOnStoreError: true })
  for (const onStoreError of ['throw', 'Anonymous', '', true, false, null, 0, {}, ['anonymous']]) {
    t.throws(() => readRouteConfig({ onStoreError } as unknown as SessionRouteConfig), REFUSED, String(onStoreError))
  }
  t.end()
})

t.test('a route can do without the proof of a device', (t) => {
  t.same(readRouteConfig({ device: 'optional' }), { ...DEFAULT, deviceOptional: true })
  for (const device of ['required', '', true, null]) {
    t.throws(() => readRouteConfig({ device } as unknown as SessionRouteConfig), REFUSED, String(device))
  }
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
  app.get('/news', { config: { session: { onStoreError: 'anonymous' } } }, policyOf)
  app.setNotFoundHandler(policyOf)
  const answers = await Promise.all(['/default', '/off', '/quiet', '/news', '/nowhere'].map((url) => app.inject(url)))
  t.same(
    answers.map((answer) => answer.json()),
    [DEFAULT, DISABLED, { ...DEFAULT, touch: false }, { ...DEFAULT, anonymousOnStoreError: true }, DEFAULT]
  )
  t.same(routePolicy({ routeOptions: {} } as FastifyRequest), DEFAULT, 'without any config')
})

/** Asks for the policy of each route of an application, and whether its `routeOptions` were needed. */
async function ask(app: FastifyInstance, policies: RoutePolicies, urls: readonly string[]) {
  let asked = 0
  app.addHook('onRequest', async (request, reply) => {
    const { routeOptions } = request
    const counting = Object.create(request, {
      routeOptions: {
        get: () => {
          asked++
          return routeOptions
        }
      }
    })
    reply.send(policies.of(counting))
    return reply
  })
  const answers = []
  for (const url of urls) answers.push((await app.inject(url)).json())
  return { answers, asked }
}

t.test('where no route has anything to say, none is asked', async (t) => {
  const app = fastify()
  const policies = new RoutePolicies(app)
  app.get('/', { config: { rateLimit: 1 } as object }, async () => '')
  app.register(async (scope) => scope.get('/inner', async () => ''))
  t.same(await ask(app, policies, ['/', '/inner']), { answers: [DEFAULT, DEFAULT], asked: 0 })
})

t.test('where one has, all are', async (t) => {
  const app = fastify()
  const policies = new RoutePolicies(app)
  app.get('/', async () => '')
  app.register(async (scope) => scope.get('/inner', { config: { session: false } }, async () => ''))
  t.same(await ask(app, policies, ['/', '/inner']), { answers: [DEFAULT, DISABLED], asked: 2 })
})

t.test('routes from before, and what other plugins make of routes later, count as well', async (t) => {
  const early = fastify()
  early.get('/', { config: { session: false } }, async () => '')
  t.same(await ask(early, new RoutePolicies(early), ['/']), { answers: [DISABLED], asked: 1 })
  const late = fastify()
  const policies = new RoutePolicies(late)
  late.addHook('onRoute', (route) => {
    route.config = { ...route.config, session: { touch: false } }
  })
  late.get('/', async () => '')
  t.same(await ask(late, policies, ['/']), { answers: [{ ...DEFAULT, touch: false }], asked: 1 })
})

t.test('before the application is ready, nobody knows what routes there will be', async (t) => {
  const app = fastify()
  const policies = new RoutePolicies(app)
  t.same(policies.of({ routeOptions: { config: { session: false } } } as FastifyRequest), DISABLED)
})

t.test('a config that is used again and changed counts for the route that it was given for', async (t) => {
  const app = fastify()
  const policies = new RoutePolicies(app)
  const options: { config: { session?: false } } = { config: { session: false } }
  app.get('/off', options, async () => '')
  delete options.config.session
  app.get('/on', options, async () => '')
  t.same(await ask(app, policies, ['/off', '/on']), { answers: [DISABLED, DEFAULT], asked: 2 })
})

t.test('the handler of what is not found is asked, because nothing tells what it says', async (t) => {
  const app = fastify()
  const policies = new RoutePolicies(app)
  app.get('/', async () => '')
  app.setNotFoundHandler({ config: { session: false } } as object, async () => '')
  t.same(await ask(app, policies, ['/nowhere', '/']), { answers: [DISABLED, DEFAULT], asked: 1 })
})
