import type { HTTPMethods } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { sameOriginOnly } from '../../lib/guard/same-origin-only.ts'
import { provideTokenGate } from '../../lib/guard/token-gate.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import type { SameOriginOptions } from '../../types/guard.ts'
import { createApp } from '../helpers/app.ts'

const HOST = 'shop.example'
const UNSAFE: HTTPMethods[] = ['POST', 'PUT', 'PATCH', 'DELETE']
const SAFE: HTTPMethods[] = ['GET', 'HEAD', 'OPTIONS']

/** Returns the status of a request with these headers. */
async function statusOf(
  headers: Record<string, string>,
  method: HTTPMethods = 'POST',
  options?: SameOriginOptions
): Promise<number> {
  const { app } = await createApp()
  app.route({ method: [...UNSAFE, ...SAFE], url: '/', onRequest: sameOriginOnly(options), handler: async () => 'ok' })
  const client = await createClient(app)
  return (await client.inject({ method: method as 'GET', url: '/', headers: { host: HOST, ...headers } })).statusCode
}

t.test('Sec-Fetch-Site decides, whatever Origin says', async (t) => {
  for (const origin of [{}, { origin: `https://${HOST}` }, { origin: 'https://evil.example' }, { origin: 'null' }]) {
    for (const [site, status] of [
      ['same-origin', 200],
      ['none', 200],
      ['same-site', 403],
      ['cross-site', 403],
      ['unheard-of', 403]
    ] as const) {
      for (const method of UNSAFE) {
        t.equal(await statusOf({ 'sec-fetch-site': site, ...origin }, method), status, `${method} ${site}`)
      }
    }
  }
})

t.test('without Sec-Fetch-Site the host of Origin decides', async (t) => {
  for (const [origin, host, status] of [
    [`https://${HOST}`, HOST, 200],
    [`http://${HOST}`, HOST.toUpperCase(), 200],
    ['http://localhost:3000', 'localhost:3000', 200],
    ['http://localhost:3001', 'localhost:3000', 403],
    ['http://[::1]:3000', '[::1]:3000', 200],
    [`https://evil.${HOST}`, HOST, 403],
    [`https://${HOST}.evil.example`, HOST, 403],
    ['https://evil.example', HOST, 403],
    ['null', HOST, 403],
    ['', HOST, 403],
    ['not an origin', HOST, 403]
  ] as const) {
    t.equal(await statusOf({ origin, host }), status, `${origin} at ${host}`)
  }
  t.equal(await statusOf({}), 200, 'a program sends neither')
})

t.test('the host that a trusted proxy names counts', async (t) => {
  for (const [trustProxy, statusCode] of [
    [true, 200],
    [false, 403]
  ] as const) {
    const app = fastify({ trustProxy })
    app.post('/', { preHandler: sameOriginOnly() }, async () => 'ok')
    const headers = { origin: `https://${HOST}`, host: '10.0.0.1:3000', 'x-forwarded-host': HOST }
    t.equal((await app.inject({ method: 'POST', url: '/', headers })).statusCode, statusCode)
  }
})

t.test('a safe method passes, unless a hook has overridden it', async (t) => {
  for (const method of SAFE) t.equal(await statusOf({ 'sec-fetch-site': 'cross-site' }, method), 200, method)
  const app = fastify()
  app.addHook('onRequest', async ({ raw }) => {
    raw.method = 'GET'
  })
  app.post('/', { preHandler: sameOriginOnly() }, async () => t.fail('handled'))
  const headers = { 'sec-fetch-site': 'cross-site' }
  t.equal((await app.inject({ method: 'POST', url: '/', headers })).statusCode, 403)
})

t.test('a request without a route is judged by its method', async (t) => {
  const app = fastify()
  app.addHook('onRequest', sameOriginOnly())
  const headers = { 'sec-fetch-site': 'cross-site' }
  t.equal((await app.inject({ method: 'GET', url: '/', headers })).statusCode, 404)
  t.equal((await app.inject({ method: 'POST', url: '/', headers })).statusCode, 403)
})

t.test('the same site passes if that is allowed', async (t) => {
  const options = { allowSameSite: true }
  t.equal(await statusOf({ 'sec-fetch-site': 'same-site' }, 'POST', options), 200)
  t.equal(await statusOf({ 'sec-fetch-site': 'cross-site' }, 'POST', options), 403)
  t.equal(
    await statusOf({ origin: `https://www.${HOST}` }, 'POST', options),
    403,
    'Origin does not tell what a site is'
  )
})

t.test('the error has a code, and wrong options throw', async (t) => {
  const app = fastify()
  app.post('/', { onRequest: sameOriginOnly() }, async () => 'ok')
  const response = await app.inject({ method: 'POST', url: '/', headers: { 'sec-fetch-site': 'cross-site' } })
  t.match(response.json(), { statusCode: 403, code: 'ERR_SESSION_CROSS_SITE', error: 'Forbidden' })
  t.throws(() => sameOriginOnly({ allowSameSite: 'yes' } as never), { code: 'ERR_SESSION_OPTION_INVALID' })
  t.throws(() => sameOriginOnly({ sameSite: true } as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
})

t.test('a token that decides lets a request of another site pass, and one that fails fails the request', async (t) => {
  const { app } = await createApp()
  const answers = [true, false, new Error('down'), undefined, null]
  const decides = async (): Promise<boolean> => {
    const answer = answers.shift()
    if (typeof answer === 'boolean') return answer
    throw answer
  }
  provideTokenGate(app, 'session', { decides, hasDecided: () => false, challengeOf: () => '' })
  app.post('/', { onRequest: sameOriginOnly() }, async () => 'ok')
  const statuses: number[] = []
  for (const authorization of [...answers.map(() => 'Bearer t'), 'Basic t']) {
    const headers = { 'sec-fetch-site': 'cross-site', authorization }
    statuses.push((await app.inject({ method: 'POST', url: '/', headers })).statusCode)
  }
  t.same(statuses, [200, 403, 500, 500, 500, 403])
})
