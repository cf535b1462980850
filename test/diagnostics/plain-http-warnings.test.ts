import type { FastifyReply, FastifyRequest, InjectOptions } from 'fastify'
import t from 'tap'
import { PlainHttpWarnings } from '../../lib/diagnostics/plain-http-warnings.ts'
import { createApp } from '../helpers/app.ts'
import { createKitApp, createStoredKitApp, Member } from '../helpers/login-app.ts'

/** Returns the reasons of the warnings that requests cause, if each sets a cookie. */
async function reasonsOf(
  requests: InjectOptions[],
  {
    secure = 'auto' as boolean | 'auto',
    sameSite = 'lax' as 'lax' | 'none',
    isProduction = false,
    trustProxy = false
  } = {}
): Promise<unknown[]> {
  const { app, warnings } = await createApp({}, { trustProxy })
  const checks = new PlainHttpWarnings('remember', isProduction)
  app.get('/', { config: { session: false } }, async (request: FastifyRequest, reply: FastifyReply) => {
    checks.check(request, { secure, sameSite })
    return reply.send('')
  })
  for (const options of requests) await app.inject({ url: '/', ...options })
  t.ok(warnings().every(({ msg }) => msg.includes('Secure')))
  return warnings().map(({ reason }) => reason)
}

const UNTRUSTED = { headers: { 'x-forwarded-proto': 'https' } }
const PUBLIC = { headers: { host: 'shop.example' } }

t.test('a proxy that ended TLS and is not trusted is warned of once', async (t) => {
  for (const headers of [
    { 'x-forwarded-proto': 'https' },
    { 'x-forwarded-proto': 'HTTPS' },
    { 'x-forwarded-proto': 'https, http' },
    { forwarded: 'for=192.0.2.1;proto=https' },
    { forwarded: 'Proto="https", for=10.0.0.1' }
  ]) {
    t.same(await reasonsOf([{ headers }, { headers }]), ['untrusted-proxy'], JSON.stringify(headers))
  }
  for (const headers of [{}, { 'x-forwarded-proto': 'http' }, { forwarded: 'for=192.0.2.1;host=https.example' }]) {
    t.same(await reasonsOf([{ headers }]), [], JSON.stringify(headers))
  }
  t.same(await reasonsOf([UNTRUSTED], { trustProxy: true }), [], 'one that is trusted makes the cookie Secure')
})

t.test('in production a cookie without Secure over plain HTTP is warned of once', async (t) => {
  const isProduction = true
  t.same(await reasonsOf([PUBLIC, PUBLIC], { isProduction }), ['plain-http'])
  t.same(await reasonsOf([PUBLIC]), [], 'not in development')
  t.same(await reasonsOf([{ headers: { host: 'localhost' }, remoteAddress: '192.0.2.1' }], { isProduction }), [
    'plain-http'
  ])
  t.same(await reasonsOf([UNTRUSTED, PUBLIC], { isProduction }), ['untrusted-proxy', 'plain-http'])
  for (const host of ['localhost', 'LOCALHOST:3000', 'shop.localhost', '127.0.0.1:80', '127.1.2.3', '[::1]:3000']) {
    for (const remoteAddress of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) {
      t.same(await reasonsOf([{ headers: { host }, remoteAddress }], { isProduction }), [], `${host} ${remoteAddress}`)
    }
  }
  for (const host of ['127.0.0.1.example', 'localhost.example', 'notlocalhost']) {
    t.same(await reasonsOf([{ headers: { host } }], { isProduction }), ['plain-http'], host)
  }
})

t.test("sameSite: 'none' without Secure is warned of wherever the server runs", async (t) => {
  const sameSite = 'none'
  t.same(await reasonsOf([PUBLIC, PUBLIC], { sameSite }), ['same-site-none'])
  t.same(await reasonsOf([PUBLIC], { sameSite, isProduction: true }), ['same-site-none', 'plain-http'])
  t.same(await reasonsOf([UNTRUSTED], { sameSite, trustProxy: true }), [], 'HTTPS')
  t.same(await reasonsOf([PUBLIC], { sameSite, secure: true }), [])
})

t.test('an attribute that was written says what is meant', async (t) => {
  for (const secure of [true, false]) {
    t.same(await reasonsOf([UNTRUSTED, PUBLIC], { secure, isProduction: true }), [])
  }
})

t.test('the session cookie and the remember cookie are both checked', async (t) => {
  const { app, warnings } = await createStoredKitApp()
  const ana = new Member(app)
  for (let time = 0; time < 2; time++) {
    await ana.inject({ method: 'POST', url: '/login', payload: { id: 1, remember: true }, ...UNTRUSTED })
  }
  t.match(warnings(), [
    { reason: 'untrusted-proxy', cookieName: 'session', msg: /trustProxy/ },
    { reason: 'untrusted-proxy', cookieName: 'remember', msg: /trustProxy/ }
  ])
  t.equal(warnings().length, 2)
})

t.test('NODE_ENV says what production is', async (t) => {
  const before = process.env.NODE_ENV
  t.teardown(() => {
    if (before === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = before
  })
  process.env.NODE_ENV = 'production'
  for (const [cookie, reasons] of [
    [{}, ['plain-http']],
    [{ secure: false }, []],
    [{ secure: true }, ['insecure-transport']]
  ] as const) {
    const { app, warnings } = await createKitApp({ cookie })
    await app.inject({ method: 'POST', url: '/login', payload: { id: 1 }, ...PUBLIC })
    t.same(
      warnings().map(({ reason }) => reason),
      reasons
    )
  }
})
