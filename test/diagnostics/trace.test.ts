import type { FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { Trace } from '../../lib/diagnostics/trace.ts'
import { session } from '../../lib/index.ts'
import { resolveOptions } from '../../lib/options.ts'
import { createApp, decisionsOf, SECRET } from '../helpers/app.ts'

function fakes(headersSent = false) {
  const logged: unknown[][] = []
  const headers = new Map<string, string>()
  const log = {
    debug: (...args: unknown[]) => void logged.push(['debug', ...args]),
    warn: (...args: unknown[]) => void logged.push(['warn', ...args]),
    error: (...args: unknown[]) => void logged.push(['error', ...args])
  }
  const reply = {
    raw: { headersSent },
    getHeader: (name: string) => headers.get(name),
    header: (name: string, value: string) => void headers.set(name, value)
  }
  return { logged, headers, request: { log } as unknown as FastifyRequest, reply: reply as unknown as FastifyReply }
}

const NOBODY = { knownHandle: undefined }
const SOMEBODY = { knownHandle: 'a-handle' }

const LOG = { fatal: () => undefined, trace: () => undefined }

t.test('each decision is logged and published with its reason', async (t) => {
  const { request, reply, logged, headers } = fakes()
  const trace = new Trace(resolveOptions({ secret: SECRET }), LOG)
  const decisions = await decisionsOf(async () => {
    trace.opened(request, 'bad-signature', NOBODY)
    trace.committed(request, reply, 'bad-signature', 'created', SOMEBODY)
  })
  t.same(decisions, ['open: bad-signature', 'commit: created'])
  t.match(logged[0], ['debug', { session: { cookieName: 'session', phase: 'open', reason: 'bad-signature' } }])
  t.match(logged[1], ['debug', { session: { phase: 'commit', reason: 'created', id: 'a-handle' } }])
  t.equal(headers.size, 0, 'no header without debug')
})

t.test('that a request has too many cookies is a warning each time: each visitor is another', async (t) => {
  const { request, logged } = fakes()
  const trace = new Trace(resolveOptions({ secret: SECRET }), LOG)
  const decisions = await decisionsOf(async () => {
    trace.opened(request, 'too-many-cookies', NOBODY)
    trace.opened(request, 'too-many-cookies', NOBODY)
  })
  t.same(decisions, ['open: too-many-cookies', 'open: too-many-cookies'])
  const warnings = logged.filter(([level]) => level === 'warn')
  t.match(
    warnings,
    Array(2).fill(['warn', { reason: 'too-many-cookies', cookieName: 'session' }, /not tried.*__Host-/])
  )
})

t.test('what becomes of sessions of other libraries is a warning', async (t) => {
  const { request, logged } = fakes()
  const trace = new Trace(resolveOptions({ secret: SECRET }), LOG)
  const error = new Error('read only')
  trace.tooLargeToAdopt(request, 5000, 4096)
  trace.notForgotten(request, error)
  t.match(logged, [
    ['warn', { reason: 'adopt-refused', cookieName: 'session', bytes: 5000, limit: 4096 }, /more data than fit/],
    ['warn', { cookieName: 'session', err: error }, /could not be ended/]
  ])
})

t.test('that activity is not noted is said once a minute', async (t) => {
  const { request, logged } = fakes()
  let now = 0
  const trace = new Trace(resolveOptions({ secret: SECRET, clock: () => now }), LOG)
  const error = new Error('READONLY')
  for (const at of [0, 59_999, 60_000, 60_001]) {
    now = at
    trace.unnoted(request, error)
  }
  t.match(logged, Array(2).fill(['warn', { reason: 'store-unavailable', err: error, cookieName: 'session' }, /active/]))
  t.equal(logged.length, 2)
})

t.test('that a cookie is large is said once, and as a warning with the option debug', async (t) => {
  for (const [debug, level] of [
    [false, 'debug'],
    ['always', 'warn']
  ] as const) {
    const { request, logged } = fakes()
    const trace = new Trace(resolveOptions({ secret: SECRET, debug }), LOG)
    for (let count = 0; count < 2; count++) trace.large(request, 3000)
    t.match(logged, [[level, { reason: 'large-cookie', cookieName: 'session', bytes: 3000 }, /nginx/]])
    t.equal(logged.length, 1)
  }
})

t.test('that a session was read too early is said once, with its name', async (t) => {
  const { request, logged } = fakes()
  const trace = new Trace(resolveOptions({ secret: SECRET, decorator: 'adminSession' }), LOG)
  for (let count = 0; count < 2; count++) trace.seenTooEarly(request)
  t.match(logged, [
    ['warn', { reason: 'not-loaded' }, /^request\.adminSession was read before .* sessionOf\(request\)/]
  ])
  t.equal(logged.length, 1)
})

t.test('what is lost or ignored is a warning', async (t) => {
  const { request, logged } = fakes()
  const trace = new Trace(resolveOptions({ secret: SECRET }), LOG)
  trace.lost(request, SOMEBODY)
  trace.ignored(request, 'destroyed')
  trace.ignored(request, 'disabled')
  trace.ignored(request, 'gone')
  trace.ignored(request, 'store-unavailable')
  trace.insecure(request)
  trace.insecure(request)
  const warnings = logged.filter(([level]) => level === 'warn')
  t.match(warnings, [
    ['warn', { reason: 'headers-sent' }, /commit\(\)/],
    ['warn', { reason: 'destroyed' }, /regenerate\(\)/],
    ['warn', { reason: 'disabled' }, /session: false/],
    ['warn', { reason: 'gone' }, /ended by another request/],
    ['warn', { reason: 'store-unavailable' }, /store was not available/],
    ['warn', { reason: 'insecure-transport' }, /trustProxy/]
  ])
  t.equal(warnings.length, 6)
})

t.test(
  'a store that failed is an error in the log, with what it failed with, also where the route is served',
  async (t) => {
    const { request, logged } = fakes()
    const error = new Error('connection refused')
    new Trace(resolveOptions({ secret: SECRET }), LOG).survived(request, error)
    t.match(logged, [['error', { err: error, cookieName: 'session' }, /onStoreError: 'anonymous'/]])
  }
)

t.test(
  'a stored session that cannot be read is a decision, and a warning with its handle and the reason',
  async (t) => {
    const { request, logged } = fakes()
    const error = new Error('it is damaged')
    const trace = new Trace(resolveOptions({ secret: SECRET }), LOG)
    const decisions = await decisionsOf(async () => trace.unreadable(request, error, SOMEBODY))
    t.same(decisions, ['open: unreadable'])
    const details = { reason: 'unreadable', err: error, cookieName: 'session', id: 'a-handle' }
    t.match(logged.at(-1), ['warn', details, /cannot be read/])
  }
)

t.test(
  'data that do not fit the schema are a decision, and a warning that quotes neither data nor error',
  async (t) => {
    const info = { version: 1, schemaVersion: 2, issues: [{ path: ['visits'], message: 'Expected a number' }] }
    for (const [error, thrown] of [
      [undefined, undefined],
      [new SyntaxError('secret'), 'SyntaxError'],
      [Object.assign(new Error('secret'), { code: 'ERR_MINE' }), 'ERR_MINE'],
      ['secret', 'string'],
      [null, 'object']
    ] as const) {
      const { request, logged } = fakes()
      const trace = new Trace(resolveOptions({ secret: SECRET }), LOG)
      const decisions = await decisionsOf(async () => trace.invalid(request, { ...info, error }, SOMEBODY))
      t.same(decisions, ['open: invalid-data'])
      const details = { reason: 'invalid-data', cookieName: 'session', id: 'a-handle', ...info, thrown }
      t.match(logged.at(-1), ['warn', details, /another version of its schema/])
      t.notMatch(JSON.stringify(logged), /secret/)
    }
  }
)

t.test('a handle, which costs a hash, is asked for only where somebody listens', async (t) => {
  let asked = 0
  const subject = {
    get knownHandle(): string {
      asked++
      return 'a-handle'
    }
  }
  const quiet = { log: { isLevelEnabled: () => false } } as unknown as FastifyRequest
  const trace = new Trace(resolveOptions({ secret: SECRET }), LOG)
  trace.opened(quiet, 'opened', subject)
  t.equal(asked, 0)
  await decisionsOf(async () => trace.opened(quiet, 'opened', subject))
  t.equal(asked, 1)
  trace.opened(fakes().request, 'opened', subject)
  t.equal(asked, 2)
})

t.test('with debug a header of the reply says what happened', async (t) => {
  const trace = new Trace(resolveOptions({ secret: SECRET, debug: 'always' }), LOG)
  const admin = new Trace(resolveOptions({ secret: SECRET, debug: 'always', cookieName: 'admin' }), LOG)
  const { request, reply, headers } = fakes()
  trace.committed(request, reply, undefined, 'untouched')
  t.equal(headers.get('session-trace'), 'session; commit=untouched')
  admin.committed(request, reply, 'opened', 'changed')
  t.equal(headers.get('session-trace'), 'session; commit=untouched, admin; open=opened; commit=changed')
  trace.committed(request, reply, 'opened', 'restamped')
  t.equal(headers.get('session-trace'), 'admin; open=opened; commit=changed, session; open=opened; commit=restamped')
  const late = fakes(true)
  trace.committed(late.request, late.reply, undefined, 'untouched')
  t.equal(late.headers.size, 0)
})

t.test('a cookie that was decided on and is withheld after all has the last word', async (t) => {
  const { request } = fakes()
  const headers = { 'session-trace': 'admin; commit=untouched, session; open=opened; commit=restamped' }
  const withhold = async (debug: false | 'always'): Promise<unknown> => {
    const trace = new Trace(resolveOptions({ secret: SECRET, debug }), LOG)
    let said: unknown
    const decisions = await decisionsOf(async () => {
      said = trace.withheld(request, headers, 'opened', NOBODY)
    })
    t.same(decisions, ['commit: withheld'])
    return said
  }
  t.equal(await withhold(false), undefined)
  t.same(await withhold('always'), {
    'session-trace': 'admin; commit=untouched, session; open=opened; commit=withheld'
  })
})

t.test('a real application shows it, for two sessions and when a hook makes the commit run twice', async (t) => {
  const { app } = await createApp({ debug: 'always' })
  await app.register(session, { secret: SECRET, decorator: 'admin', cookieName: 'admin', debug: 'always' })
  app.addHook('onSend', async (_request, reply) => {
    if (reply.statusCode === 200) throw new Error('hook failed')
  })
  app.get('/', async (request) => {
    request.session.visits = 1
    return ''
  })
  const response = await app.inject('/')
  t.equal(response.headers['session-trace'], 'session; open=no-cookie; commit=created, admin; commit=untouched')
})

t.test('without a logger and without subscribers nobody hears anything', async (t) => {
  const silent = fastify({ logger: false }).log
  const trace = new Trace(resolveOptions({ secret: SECRET }), silent)
  t.equal(trace.hasListeners, false)
  const { request, logged } = fakes()
  trace.opened(request, 'opened', NOBODY)
  t.same(logged, [])
  await decisionsOf(async () => t.equal(trace.hasListeners, true))
  t.equal(new Trace(resolveOptions({ secret: SECRET }), fastify({ logger: { level: 'error' } }).log).hasListeners, true)
})

t.test('in development without a logger, a lost change is a warning of the process', async (t) => {
  const warnings: unknown[] = []
  t.intercept(process, 'emitWarning', { value: (warning: unknown) => void warnings.push(warning) })
  const none = { fatal: LOG.fatal, trace: LOG.fatal }
  for (const [log, environment, isWarned] of [
    [none, 'development', true],
    [none, 'production', false],
    [none, undefined, false],
    [LOG, 'development', false]
  ] as const) {
    const { request, logged } = fakes()
    const trace = new Trace(resolveOptions({ secret: SECRET }), log, environment)
    t.equal(trace.hasListeners, isWarned || log === LOG)
    trace.lost(request, SOMEBODY)
    trace.ignored(request, 'destroyed')
    t.match(
      warnings.splice(0),
      isWarned
        ? [
            {
              code: 'ERR_SESSION_NOT_SAVED',
              message: /`await` is missing: before request\.login\(\), session\.renew\(\)/
            },
            { code: 'ERR_SESSION_NOT_SAVED', message: /after destroy\(\)/ }
          ]
        : []
    )
    t.equal(logged.filter(([level]) => level === 'warn').length, isWarned ? 0 : 2)
  }
})
