import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, InjectOptions, LightMyRequestResponse } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import type { Check } from '../../lib/guard/guard.ts'
import { and, createGuard } from '../../lib/guard/guard.ts'
import { provideTokenGate } from '../../lib/guard/token-gate.ts'
import { session } from '../../lib/plugin.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { Guard, GuardOptions, RefusalReason } from '../../types/guard.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, createStoredApp, SECRET } from '../helpers/app.ts'

const BROWSER = { 'sec-fetch-mode': 'navigate' }
const PREFLIGHT = { origin: 'https://app.example', 'access-control-request-method': 'POST' }
const PASS: Check = () => undefined
const REFUSE: Check = () => 'not-logged-in'

function guardOf(check: Check, options: GuardOptions = {}): Guard {
  return createGuard('session', check, options)
}

/** Creates an application with a guard on all routes, and records the requests that reach the handler. */
async function createGuarded(
  guard: Guard,
  options: LooseOptions = {}
): Promise<{ app: FastifyInstance; reached: string[] }> {
  const { app } = await createApp(options)
  const reached: string[] = []
  app.all('/*', { preHandler: guard }, async ({ method, url }) => {
    reached.push(`${method} ${url}`)
    return 'handled'
  })
  return { app, reached }
}

/** Sends one request to a guarded application. */
async function ask(guard: Guard, options: InjectOptions = {}): Promise<LightMyRequestResponse> {
  const { app, reached } = await createGuarded(guard)
  const response = await app.inject({ method: 'GET', url: '/me', ...options })
  if (reached.length > 0 && response.body !== 'handled') throw new Error(`${reached} was refused and handled.`)
  return response
}

t.test('a request that passes the check continues', async (t) => {
  t.equal((await ask(guardOf(PASS))).body, 'handled')
  t.equal((await ask(guardOf(async () => undefined))).body, 'handled', 'also later')
})

t.test('a synchronous check is not awaited', async (t) => {
  let isDone = false
  const request = { id: '1', method: 'GET', originalUrl: '/', host: 'shop.test', is404: false, raw: { headers: {} } }
  const reply = { sent: false, redirect: () => reply }
  guardOf(PASS)(request, reply, () => {
    isDone = true
  })
  t.ok(isDone)
})

t.test('a refusal without options is an error with a code', async (t) => {
  for (const [reason, statusCode, code, error] of [
    ['not-logged-in', 401, 'ERR_SESSION_LOGIN_REQUIRED', 'Unauthorized'],
    ['not-allowed', 403, 'ERR_SESSION_FORBIDDEN', 'Forbidden'],
    ['not-fresh', 401, 'ERR_SESSION_NOT_FRESH', 'Unauthorized']
  ] as const) {
    for (const check of [() => reason, async () => reason]) {
      const response = await ask(guardOf(check), { headers: BROWSER })
      t.equal(response.statusCode, statusCode, reason)
      t.match(response.headers['content-type'], 'application/json')
      t.match(response.json(), { statusCode, code, error, message: /\.$/ }, reason)
    }
    const other = await ask(guardOf(() => reason, { status: 404, message: 'Nobody is here: %s' }))
    t.same(other.json(), { statusCode: 404, code, error: 'Not Found', message: 'Nobody is here: %s' }, reason)
  }
})

t.test('a browser is redirected, and a program gets the error', async (t) => {
  const guard = guardOf(REFUSE, { redirectTo: '/login' })
  for (const [method, status] of [
    ['GET', 302],
    ['HEAD', 302],
    ['POST', 303],
    ['PUT', 303],
    ['PATCH', 303],
    ['DELETE', 303]
  ] as const) {
    const response = await ask(guard, { method, headers: BROWSER })
    t.equal(response.statusCode, status, method)
    t.equal(response.headers.location, '/login', method)
    const refusal = await ask(guard, { method })
    t.equal(refusal.statusCode, 401, method)
    t.equal(refusal.headers.location, undefined, method)
    t.same(setCookieLines(refusal), [], method)
  }
})

t.test('the return value of onRefused does not matter, not even a reply that is never sent', async (t) => {
  for (const onRefused of [
    (_request: FastifyRequest, reply: FastifyReply) => reply.header('www-authenticate', 'Bearer'),
    async (_request: FastifyRequest, reply: FastifyReply) => reply.header('www-authenticate', 'Bearer'),
    async (_request: FastifyRequest, reply: FastifyReply) => {
      await Promise.resolve()
      return reply.header('www-authenticate', 'Bearer')
    }
  ]) {
    const response = await ask(guardOf(REFUSE, { onRefused }))
    t.equal(response.statusCode, 401)
    t.equal(response.headers['www-authenticate'], 'Bearer')
  }
})

t.test('onRefused may answer with callNotFound, synchronously or later', async (t) => {
  for (const onRefused of [
    (_request: FastifyRequest, reply: FastifyReply) => reply.callNotFound(),
    (_request: FastifyRequest, reply: FastifyReply) => {
      reply.callNotFound()
    }
  ]) {
    const { app } = await createStoredApp()
    app.setNotFoundHandler(async (_request, reply) => {
      await new Promise(setImmediate)
      return reply.code(404).send('nothing here')
    })
    app.get('/', { preHandler: guardOf(REFUSE, { onRefused }) }, async () => t.fail('handled'))
    const { statusCode, body } = await app.inject('/')
    t.same([statusCode, body], [404, 'nothing here'])
  }
})

t.test('a reply is unchanged after onRefused, including the methods that others replaced', async (t) => {
  const { app } = await createApp()
  const own = (): never => t.fail('sent') as never
  let reply: FastifyReply | undefined
  app.addHook('onRequest', async (_request, current) => {
    Object.defineProperty(current, 'callNotFound', { value: own, configurable: true, writable: true })
    reply = current
  })
  app.get('/', { preHandler: guardOf(REFUSE, { onRefused: () => undefined }) }, async () => t.fail('handled'))
  t.equal((await app.inject('/')).statusCode, 401)
  t.same(
    ['send', 'then', 'callNotFound'].map((name) => Object.hasOwn(reply as object, name)),
    [false, false, true]
  )
  t.equal(reply?.callNotFound, own)
})

t.test('OPTIONS is checked like every other method', async (t) => {
  const guard = guardOf(REFUSE)
  for (const headers of [{}, BROWSER, PREFLIGHT]) {
    t.equal((await ask(guard, { method: 'OPTIONS', headers })).statusCode, 401)
    t.equal((await ask(and(guardOf(PASS), guard), { method: 'OPTIONS', headers })).statusCode, 401)
  }
  t.equal((await ask(guardOf(PASS), { method: 'OPTIONS', headers: PREFLIGHT })).body, 'handled')
})

t.test('only a preflight request without a route passes', async (t) => {
  const { app } = await createApp()
  app.addHook('preHandler', guardOf(REFUSE))
  app.get('/me', async () => t.fail('handled'))
  const { origin, ...withoutOrigin } = PREFLIGHT
  for (const url of ['/me', '/nowhere']) {
    for (const [statusCode, method, headers] of [
      [404, 'OPTIONS', PREFLIGHT],
      [401, 'OPTIONS', {}],
      [401, 'OPTIONS', { origin }],
      [401, 'OPTIONS', withoutOrigin],
      [401, 'GET', PREFLIGHT]
    ] as const) {
      t.equal(
        (await app.inject({ method, url, headers })).statusCode,
        statusCode,
        `${method} ${url} ${Object.keys(headers)}`
      )
    }
  }
})

t.test('a method that a hook has overridden lets nobody in', async (t) => {
  for (const hook of ['onRequest', 'preHandler'] as const) {
    const { app } = await createApp()
    app.addHook(hook, async ({ raw, headers }) => {
      raw.method = String(headers['x-http-method-override'] ?? raw.method)
    })
    app.post('/', { preHandler: guardOf(REFUSE) }, async () => t.fail('handled'))
    for (const others of [{}, PREFLIGHT]) {
      const headers = { 'x-http-method-override': 'OPTIONS', ...others }
      t.equal((await app.inject({ method: 'POST', url: '/', headers })).statusCode, 401)
    }
  }
})

t.test('OPTIONS does not reach the handler of handle', async (t) => {
  for (const guard of [
    guardOf(REFUSE),
    and(
      guardOf(() => undefined),
      guardOf(REFUSE)
    )
  ]) {
    const { app } = await createApp()
    app.all(
      '/',
      guard.handle(async () => t.fail('handled'))
    )
    t.equal((await app.inject({ method: 'OPTIONS', url: '/' })).statusCode, 401)
  }
})

t.test('a check that fails fails the request, also with a falsy error', async (t) => {
  for (const thrown of [new Error('broken'), { statusCode: 418, message: 'broken' }, undefined, null, 0, '', false]) {
    for (const check of [
      () => {
        throw thrown
      },
      async () => {
        throw thrown
      }
    ]) {
      const response = await ask(guardOf(check, { redirectTo: '/login' }), { headers: BROWSER })
      const message = thrown ? 'broken' : 'A guard failed without an error that says why.'
      t.match(response.json(), { message }, String(thrown))
      t.ok(response.statusCode >= 400)
      const both = and(guardOf(check), guardOf(PASS))
      t.match((await ask(both)).json(), { message }, `${thrown}, as one of two`)
    }
  }
})

t.test('an error after an asynchronous check fails the request, and nothing else', async (t) => {
  for (const check of [PASS, async () => undefined]) {
    const { app } = await createApp()
    app.get('/', { preHandler: guardOf(check) }, (_request, reply) => {
      // Fastify calls it in `send`, and does not catch its errors.
      reply.type('text/plain').serializer(() => {
        throw new Error('broken')
      })
      return 'text'
    })
    app.setErrorHandler(async (error: Error, _request, reply) => reply.serializer(String).send(error.message))
    t.equal((await app.inject('/')).body, 'broken')
  }
})

type MaybePromise = (request: FastifyRequest, reply: FastifyReply) => unknown

/** Ways in which onRefused can send a reply. */
const ANSWERS: Record<string, MaybePromise> = {
  returned: (_request, reply) => reply.code(418).send('mine'),
  'not returned': (_request, reply) => {
    reply.code(418).send('mine')
  },
  awaited: async (_request, reply) => {
    await reply.code(418).send('mine')
  },
  later: async (_request, reply) => {
    await undefined
    reply.code(418).send('mine')
  },
  'as a stream': (_request, reply) => {
    reply.code(418).send(Readable.from(['mi', 'ne']))
  },
  hijacked: (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(418)
    setImmediate(() => reply.raw.end('mine'))
  }
}

t.test('onRefused may answer the request', async (t) => {
  for (const isSlow of [false, true]) {
    for (const [name, onRefused] of Object.entries(ANSWERS)) {
      const label = `${name}${isSlow ? ', with a hook that takes its time' : ''}`
      const { app, logs } = await createApp()
      if (isSlow) app.addHook('onSend', async () => new Promise((resolve) => setImmediate(resolve)))
      const guard = guardOf(REFUSE, { redirectTo: '/login', onRefused })
      app.get('/', { preHandler: guard }, async () => t.fail('handled'))
      const response = await app.inject({ url: '/', headers: BROWSER })
      t.equal(response.statusCode, 418, label)
      t.equal(response.body, 'mine', label)
      t.same(
        logs.filter(({ level }) => level > 30),
        [],
        label
      )
      t.same(setCookieLines(response), [], 'and nothing is noted')
    }
  }
})

t.test('onRefused may answer that the page is not found', async (t) => {
  const { app } = await createApp()
  const guard = guardOf(REFUSE, { onRefused: (_request, reply) => reply.callNotFound() })
  app.get(
    '/secret',
    guard.handle(async () => t.fail('handled'))
  )
  const [secret, nothing] = [await app.inject('/secret'), await app.inject('/nothing')]
  t.equal(secret.statusCode, 404)
  t.equal(secret.body, nothing.body.replace('nothing', 'secret'))
})

t.test('onRefused gets the reason, and the usual answer follows if it sends none', async (t) => {
  const told: RefusalReason[] = []
  for (const onRefused of [
    (_request: FastifyRequest, _reply: FastifyReply, reason: RefusalReason) => void told.push(reason),
    async (_request: FastifyRequest, reply: FastifyReply, reason: RefusalReason) => {
      reply.header('x-reason', reason)
      await undefined
      told.push(reason)
      return 'not a reply'
    }
  ]) {
    const guard = guardOf(() => 'not-fresh', { redirectTo: '/confirm', onRefused })
    t.equal((await ask(guard)).json().code, 'ERR_SESSION_NOT_FRESH')
    t.equal((await ask(guard, { headers: BROWSER })).headers.location, '/confirm')
  }
  t.same(told, ['not-fresh', 'not-fresh', 'not-fresh', 'not-fresh'])
})

t.test('who is told of a refusal cannot undo it by failing', async (t) => {
  for (const thrown of [new Error('broken'), undefined]) {
    for (const onRefused of [
      () => {
        throw thrown
      },
      () => Promise.reject(thrown)
    ]) {
      const response = await ask(guardOf(REFUSE, { redirectTo: '/login', onRefused }), { headers: BROWSER })
      t.equal(response.statusCode, 500)
      t.match(response.json().message, thrown ? 'broken' : 'A guard failed')
    }
  }
})

t.test('handle returns a handler, which the guard checks first, after the hooks of the route', async (t) => {
  const order: string[] = []
  const noting = (name: string) => async (): Promise<void> => void order.push(name)
  const handler = async (): Promise<string> => {
    order.push('handler')
    return 'handled'
  }
  for (const guard of [
    guardOf(() => void order.push('guard') as undefined),
    guardOf(async () => void order.push('guard') as undefined)
  ]) {
    const { app } = await createApp()
    const schema = { querystring: { type: 'object', required: ['page'] } }
    app.get('/alone', guard.handle(handler))
    app.get('/options', { logLevel: 'warn', preHandler: noting('hook') }, guard.handle(handler))
    app.get('/schema', { schema }, guard.handle(handler))
    app.route({ method: 'POST', url: '/alone', handler: guard.handle(handler) })
    app.setNotFoundHandler(guard.handle(handler))
    for (const [method, url, ...expected] of [
      ['GET', '/alone', 'guard', 'handler'],
      ['GET', '/options', 'hook', 'guard', 'handler'],
      ['GET', '/schema'],
      ['GET', '/schema?page=1', 'guard', 'handler'],
      ['HEAD', '/alone', 'guard', 'handler'],
      ['POST', '/alone', 'guard', 'handler'],
      ['GET', '/nowhere', 'guard', 'handler']
    ] as const) {
      t.equal((await app.inject({ method, url })).statusCode, expected.length > 0 ? 200 : 400, url)
      t.same(order.splice(0), expected, `${method} ${url}`)
    }
  }
})

t.test('a handler behind a guard that refuses does not run, whatever the answer', async (t) => {
  for (const [options, headers, statusCode] of [
    [{}, {}, 401],
    [{ redirectTo: '/login' }, BROWSER, 302],
    [{ onRefused: (_request: FastifyRequest, reply: FastifyReply) => reply.callNotFound() }, {}, 404],
    [{ onRefused: () => Promise.reject(undefined) }, {}, 500]
  ] as const) {
    for (const check of [REFUSE, async () => 'not-logged-in' as const]) {
      const { app } = await createApp()
      app.get(
        '/',
        { logLevel: 'error' },
        guardOf(check, options).handle(async () => t.fail('handled'))
      )
      t.equal((await app.inject({ url: '/', headers })).statusCode, statusCode)
    }
  }
  const { app } = await createApp()
  const broken = guardOf(() => {
    throw undefined
  })
  app.get(
    '/',
    broken.handle(async () => t.fail('handled'))
  )
  t.match((await app.inject('/')).json(), { message: /A guard failed/ })
})

t.test('a route may be added before the session', async (t) => {
  const app = fastify()
  app.register(session, { secret: SECRET })
  app.get(
    '/',
    guardOf(REFUSE).handle(async () => t.fail('handled'))
  )
  t.equal((await app.inject('/')).statusCode, 401)
})

t.test('handle with options returns route options, with the guard before other hooks', async (t) => {
  const { app } = await createApp()
  const order: string[] = []
  const noting = (name: string) => async (): Promise<void> => void order.push(name)
  const guard = guardOf(() => void order.push('guard') as undefined)
  const handler = async (): Promise<string> => {
    order.push('handler')
    return 'handled'
  }
  const options = Object.freeze({
    onRequest: noting('onRequest'),
    preHandler: noting('one'),
    logLevel: 'warn' as const
  })
  app.get('/none', guard.handle({}, handler))
  app.get('/one', guard.handle(options, handler))
  app.get('/many', guard.handle({ preHandler: [noting('one'), noting('two')] }, handler))
  for (const [url, ...expected] of [
    ['/none', 'guard', 'handler'],
    ['/one', 'onRequest', 'guard', 'one', 'handler'],
    ['/many', 'guard', 'one', 'two', 'handler']
  ] as const) {
    t.equal((await app.inject(url)).body, 'handled', url)
    t.same(order.splice(0), expected, url)
  }
  t.match(guard.handle(options, handler), { logLevel: 'warn', handler })
})

t.test('and runs the guards in order, and stops at the first that refuses', async (t) => {
  const order: string[] = []
  const noting = (name: string, reason?: RefusalReason, options: GuardOptions = {}): Guard =>
    guardOf(() => {
      order.push(name)
      return reason
    }, options)
  t.equal((await ask(and(noting('a'), noting('b'), noting('c')))).body, 'handled')
  t.same(order.splice(0), ['a', 'b', 'c'])
  const later = guardOf(async () => void order.push('later') as undefined)
  t.equal((await ask(and(later, noting('b')))).body, 'handled')
  t.same(order.splice(0), ['later', 'b'])
  t.equal((await ask(and(noting('a'), noting('b', 'not-allowed'), noting('c')))).statusCode, 403)
  t.same(order.splice(0), ['a', 'b'])
  const nested = and(and(noting('a'), noting('b')), and(noting('c', 'not-fresh', { status: 404 }), noting('d')))
  t.equal((await ask(nested)).statusCode, 404, 'each refuses as it is told')
  t.same(order.splice(0), ['a', 'b', 'c'])
  t.equal(
    (
      await ask(
        and(noting('a', 'not-logged-in', { redirectTo: '/a' }), noting('b', 'not-allowed', { redirectTo: '/b' })),
        { headers: BROWSER }
      )
    ).headers.location,
    '/a'
  )
})

t.test('and returns a guard like any other', async (t) => {
  const { app } = await createApp()
  const guard = and(
    guardOf(PASS),
    guardOf(({ originalUrl }) => (originalUrl === '/a' ? undefined : 'not-allowed'))
  )
  app.get(
    '/a',
    guard.handle(async () => 'handled')
  )
  app.get(
    '/b',
    guard.handle({}, async () => t.fail('handled'))
  )
  t.equal((await app.inject('/a')).body, 'handled')
  t.equal((await app.inject('/b')).statusCode, 403)
})

t.test('and takes guards only, because anything else would let every request through', (t) => {
  const guard = guardOf(PASS)
  const loose = and as (...guards: unknown[]) => unknown
  for (const wrong of [
    [],
    [undefined],
    [guard, undefined],
    [null, guard],
    [PASS],
    [async () => {}],
    [[guard]],
    ['a']
  ]) {
    t.throws(() => loose(...wrong), { code: 'ERR_SESSION_OPTION_INVALID', message: /and\(\) takes guards/ })
  }
  t.end()
})

t.test('wrong options are refused when the guard is created', (t) => {
  for (const wrong of [
    ...['', 'login', '//evil.example', '/\\evil.example', 'ftp://a.example', 'https://', 'http://a b', 7, null].map(
      (redirectTo) => ({ redirectTo })
    ),
    ...[true, 'cookie', null, ''].map((next) => ({ next })),
    ...[399, 500, 200, 302, '401', 401.5, null, Number.NaN].map((status) => ({ status })),
    ...[7, null, {}].map((message) => ({ message })),
    ...['reply', null, {}].map((onRefused) => ({ onRefused }))
  ]) {
    t.throws(() => guardOf(PASS, wrong as never), { code: 'ERR_SESSION_OPTION_INVALID' }, JSON.stringify(wrong))
  }
  for (const wrong of [undefined, null, 'redirectTo', ['redirectTo'], () => undefined]) {
    t.throws(() => createGuard('session', PASS, wrong as never), { code: 'ERR_SESSION_OPTION_INVALID' })
  }
  t.throws(() => guardOf(PASS, { redirectto: '/login' } as never), {
    code: 'ERR_SESSION_OPTION_UNKNOWN',
    message: /redirectto.*redirectTo/
  })
  t.end()
})

t.test('options are read once and not changed', async (t) => {
  const options = { redirectTo: '/login' }
  const guard = guardOf(REFUSE, options)
  options.redirectTo = '/elsewhere'
  t.equal((await ask(guard, { headers: BROWSER })).headers.location, '/login')
  t.ok(guardOf(REFUSE, Object.freeze({ redirectTo: '/a/../login', next: false })))
})

t.test('a guard has no state of a request', async (t) => {
  const guard = guardOf(({ originalUrl }) => (originalUrl === '/a' ? 'not-logged-in' : undefined))
  const visitors = await Promise.all([1, 2].map(async () => await createClient((await createGuarded(guard)).app)))
  const answers = await Promise.all(
    ['/a', '/b', '/a', '/b'].flatMap((url) => visitors.map(async (visitor) => (await visitor.get(url)).statusCode))
  )
  t.same(answers, [401, 401, 200, 200, 401, 401, 200, 200])
})

t.test('a token is never redirected and never fresh, and a 401 says how to authenticate', async (t) => {
  const { app } = await createApp()
  let isByToken = true
  provideTokenGate(app, 'session', {
    decides: async () => isByToken,
    hasDecided: () => isByToken,
    challengeOf: () => 'Bearer realm="x"'
  })
  const reasons = ['not-logged-in', 'not-allowed', 'not-fresh'] as const
  for (const reason of reasons) {
    app.get(
      `/${reason}`,
      { preHandler: createGuard('session', () => reason, { redirectTo: '/login' }) },
      async () => ''
    )
  }
  app.get('/hidden', { preHandler: createGuard('session', () => 'not-fresh', { status: 404 }) }, async () => '')
  const tell = async (url: string): Promise<unknown[]> => {
    const { statusCode, headers } = await app.inject({ url, headers: { accept: 'text/html' } })
    return [statusCode, headers['www-authenticate'], headers.location]
  }
  t.same(await tell('/not-logged-in'), [401, 'Bearer realm="x"', undefined])
  t.same(await tell('/not-allowed'), [403, undefined, undefined])
  t.same(await tell('/not-fresh'), [403, undefined, undefined])
  t.same(await tell('/hidden'), [404, undefined, undefined])
  isByToken = false
  t.match(await tell('/not-fresh'), [302, undefined, /^\/login/])
})
