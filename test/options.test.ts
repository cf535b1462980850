import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { z } from 'zod'
import { resolveOptions } from '../lib/options.ts'
import { MemoryRevocations } from '../lib/revocations/memory.ts'
import { MemoryStore } from '../lib/stores/memory.ts'
import type { SessionOptions } from '../types/options.ts'

const SECRET = 'tests only: 0f5a8c2e91d7b364a2c4'
const OTHER = 'tests only: 77e10b93ac5f4d2886e0'
const UNKNOWN = 'ERR_SESSION_OPTION_UNKNOWN'
const INVALID = 'ERR_SESSION_OPTION_INVALID'
const MISSING = 'ERR_SESSION_SECRET_MISSING'
const WEAK = 'ERR_SESSION_SECRET_WEAK'
const RULE = 'ERR_SESSION_COOKIE_RULE'
const DAY = 86_400
const MOST = 2_147_483_647

/** Options as they come from JavaScript, where no compiler has looked at them. */
function resolve(options: Record<string, unknown>): ReturnType<typeof resolveOptions> {
  return resolveOptions({ secret: SECRET, ...options } as SessionOptions)
}

function freezeDeeply<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (typeof member === 'object' && member !== null && !ArrayBuffer.isView(member)) freezeDeeply(member)
  }
  return Object.freeze(value)
}

t.test('a secret is enough: everything else has a default', (t) => {
  const { clock: _, ...settings } = resolve({})
  t.strictSame(settings, {
    secrets: [new TextEncoder().encode(SECRET)],
    encrypt: false,
    format: undefined,
    store: undefined,
    storeTimeout: 2,
    maxBytes: 1_048_576,
    ownerLimit: undefined,
    describe: undefined,
    renameGrace: 60,
    freshness: 1,
    signalInterval: 5,
    revocations: undefined,
    maxStaleness: 5,
    onStale: 'accept',
    cookieName: 'session',
    cookie: { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto', partitioned: false },
    idleTimeout: 86_400,
    absoluteTimeout: 2_592_000,
    maxIdleTimeout: 86_400,
    maxAbsoluteTimeout: 2_592_000,
    refreshAfter: 60,
    permanent: false,
    schema: undefined,
    adopt: [],
    decorator: 'session',
    basePath: undefined,
    debug: false
  })
  t.ok(Object.isFrozen(resolve({})))
  t.ok(Object.isFrozen(settings.cookie))
  t.end()
})

t.test('the default clock is the one of the system at each call, fake timers included', (t) => {
  const { clock } = resolve({})
  t.intercept(Date, 'now', { value: () => 1234 })
  t.equal(clock(), 1234)
  t.end()
})

t.test('an option that is undefined has its default', (t) => {
  const names = ['encrypt', 'cookieName', 'cookie', 'idleTimeout', 'absoluteTimeout', 'refreshAfter', 'permanent']
  names.push(
    'store',
    'storeTimeout',
    'maxBytes',
    'maxPerOwner',
    'maxPerOwnerPolicy',
    'describe',
    'renameGrace',
    'freshness',
    'signalInterval'
  )
  const nothing = Object.fromEntries(
    [...names, 'decorator', 'basePath', 'debug', 'clock'].map((name) => [name, undefined])
  )
  t.strictSame(resolve(nothing), resolve({}))
  t.end()
})

t.test('every option is taken as it is given', (t) => {
  const clock = (): number => 5
  const given = {
    encrypt: true,
    cookieName: '__Host-id',
    idleTimeout: 100,
    absoluteTimeout: 200,
    maxIdleTimeout: 300,
    maxAbsoluteTimeout: 400,
    refreshAfter: 7,
    permanent: true,
    decorator: 'adminSession',
    basePath: '/shop',
    clock
  }
  const { secrets, cookie, format, ...rest } = resolve({ ...given, cookie: { sameSite: 'strict' } })
  const byValue = {
    debug: false,
    store: undefined,
    storeTimeout: 2,
    maxBytes: 1_048_576,
    ownerLimit: undefined,
    describe: undefined,
    renameGrace: 60,
    freshness: 1,
    signalInterval: 5,
    revocations: undefined,
    maxStaleness: 5,
    onStale: 'accept',
    schema: undefined,
    adopt: []
  }
  t.strictSame(rest, { ...given, ...byValue })
  t.strictSame(cookie, { path: '/', httpOnly: true, sameSite: 'strict', secure: true, partitioned: false })
  t.equal(secrets.length, 1)
  t.equal(format, undefined)
  t.end()
})

t.test("the user's options are never written to", (t) => {
  const options = freezeDeeply({
    secret: [SECRET, Buffer.from(OTHER)],
    cookieName: 'id',
    cookie: { path: '/a', secure: true },
    idleTimeout: 10,
    prefix: '/x'
  } as const)
  const before = inspect(options, { depth: 9 })
  t.doesNotThrow(() => resolveOptions(options as unknown as SessionOptions))
  t.equal(inspect(options, { depth: 9 }), before)
  t.end()
})

t.test('what the user does with the options afterwards changes nothing', (t) => {
  const bytes = Buffer.from(SECRET)
  const cookie = { path: '/a' }
  const secret = [bytes, OTHER]
  const settings = resolve({ secret, cookie })
  bytes.fill(0)
  cookie.path = '/b'
  secret.pop()
  t.same(settings.secrets, [new TextEncoder().encode(SECRET), new TextEncoder().encode(OTHER)])
  t.equal(settings.cookie.path, '/a')
  t.end()
})

t.test('debug is for development, unless always', (t) => {
  const debugIn = (environment: string | undefined, debug?: boolean | 'always'): boolean =>
    resolveOptions({ secret: SECRET, debug }, environment).debug
  for (const environment of [undefined, '', 'production', 'staging', 'test', 'Development', 'development']) {
    t.equal(debugIn(environment), false)
    t.equal(debugIn(environment, false), false)
    t.equal(debugIn(environment, true), environment === 'development', String(environment))
    t.equal(debugIn(environment, 'always'), true)
  }
  for (const value of ['true', 1, 0, null, {}, 'yes']) {
    const message = `The option debug must be true, false or 'always'; it is ${inspect(value, { depth: 0 })}.`
    t.throws(() => resolve({ debug: value }), { code: INVALID, message })
  }
  t.end()
})

t.test('flags are true or false', (t) => {
  for (const name of ['encrypt', 'permanent']) {
    for (const value of ['true', 1, 0, null, {}, 'yes']) {
      const message = `The option ${name} must be true or false; it is ${inspect(value, { depth: 0 })}.`
      t.throws(() => resolve({ [name]: value }), { code: INVALID, message })
    }
  }
  t.end()
})

t.test('durations are whole seconds within their bounds', (t) => {
  const least: Readonly<Record<string, number>> = { idleTimeout: 1, absoluteTimeout: 1, refreshAfter: 0 }
  for (const [name, min] of Object.entries(least)) {
    for (const value of [min - 1, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, MOST + 1, '60', '1h', null, 60n, {}]) {
      const message = `The option ${name} must be a whole number of seconds from ${min} to ${MOST}; it is ${inspect(value, { depth: 0 })}.`
      t.throws(() => resolve({ [name]: value }), { code: INVALID, message })
    }
  }
  t.equal(resolve({ absoluteTimeout: MOST, idleTimeout: MOST }).absoluteTimeout, MOST)
  t.equal(resolve({ absoluteTimeout: MOST, idleTimeout: MOST }).idleTimeout, MOST)
  t.equal(resolve({ idleTimeout: 1 }).idleTimeout, 1)
  t.equal(resolve({ absoluteTimeout: 1 }).absoluteTimeout, 1)
  t.end()
})

t.test('the timeouts of one session have caps, which are the timeouts of all unless they say more', (t) => {
  const capsOf = (options: Record<string, unknown>): unknown => {
    const { maxIdleTimeout, maxAbsoluteTimeout } = resolve(options)
    return [maxIdleTimeout, maxAbsoluteTimeout]
  }
  t.same(capsOf({ idleTimeout: 10, absoluteTimeout: 20 }), [10, 20])
  t.same(capsOf({ idleTimeout: 10, maxIdleTimeout: 10, absoluteTimeout: 20, maxAbsoluteTimeout: MOST }), [10, MOST])
  t.same(capsOf({ maxIdleTimeout: 2_592_000 }), [2_592_000, 2_592_000])
  const refused = (options: Record<string, unknown>, message: RegExp): unknown =>
    t.throws(() => resolve(options), { code: INVALID, message })
  refused({ idleTimeout: 10, maxIdleTimeout: 9 }, /^maxIdleTimeout \(9\) is shorter than idleTimeout \(10\)/)
  refused({ maxAbsoluteTimeout: 1 }, /^maxAbsoluteTimeout \(1\) is shorter than absoluteTimeout \(2592000\)/)
  refused({ maxIdleTimeout: 2_592_001 }, /^maxIdleTimeout \(2592001\) is longer than maxAbsoluteTimeout \(2592000\)/)
  for (const name of ['maxIdleTimeout', 'maxAbsoluteTimeout']) {
    for (const value of [0, -1, 1.5, Number.NaN, MOST + 1, '60', null]) {
      refused(
        { [name]: value },
        new RegExp(`^The option ${name} must be a whole number of seconds from 1 to ${MOST}; `)
      )
    }
  }
  t.end()
})

t.test('readers of old sessions', async (t) => {
  const reader = { cookieName: 'old', read: () => 'refused' }
  const codeOf = (options: object): unknown => {
    try {
      return resolve({ adopt: [reader], ...options }).adopt.length
    } catch (error) {
      return (error as { code?: unknown }).code
    }
  }
  t.equal(codeOf({}), INVALID, 'nothing remembers what was adopted')
  t.equal(codeOf({ adopt: [{ ...reader, remove: true }] }), 1)
  t.equal(codeOf({ store: new MemoryStore() }), 1)
  t.equal(codeOf({ revocations: new MemoryRevocations() }), 1)
  t.equal(codeOf({ store: new MemoryStore(), cookieName: 'old' }), INVALID)
  t.equal(codeOf({ adopt: reader }), INVALID)
})

t.test('idleTimeout is a day, or as long as absoluteTimeout if that is shorter', (t) => {
  t.equal(resolve({ absoluteTimeout: 100 }).idleTimeout, 100)
  t.equal(resolve({ absoluteTimeout: DAY + 1 }).idleTimeout, DAY)
  t.end()
})

t.test('an idleTimeout beyond absoluteTimeout is refused', (t) => {
  t.equal(resolve({ idleTimeout: 100, absoluteTimeout: 100 }).idleTimeout, 100)
  t.throws(() => resolve({ idleTimeout: 101, absoluteTimeout: 100 }), {
    code: INVALID,
    message:
      /^idleTimeout \(101\) is longer than absoluteTimeout \(100\).* Raise absoluteTimeout, or lower idleTimeout\.$/
  })
  t.throws(() => resolve({ idleTimeout: 31 * DAY }), { code: INVALID, message: /absoluteTimeout \(2592000\)/ })
  t.end()
})

t.test('refreshAfter is the smaller of a minute and a tenth of idleTimeout', (t) => {
  const expected = [
    [1, 0],
    [9, 0],
    [10, 1],
    [99, 9],
    [599, 59],
    [600, 60],
    [6000, 60]
  ] as const
  for (const [idleTimeout, refreshAfter] of expected) t.equal(resolve({ idleTimeout }).refreshAfter, refreshAfter)
  t.equal(resolve({ refreshAfter: 0 }).refreshAfter, 0)
  t.end()
})

t.test('a refreshAfter that would let active sessions end is refused', (t) => {
  t.equal(resolve({ idleTimeout: 10, refreshAfter: 9 }).refreshAfter, 9)
  for (const refreshAfter of [10, 11]) {
    t.throws(() => resolve({ idleTimeout: 10, refreshAfter }), {
      code: INVALID,
      message: new RegExp(`^refreshAfter \\(${refreshAfter}\\) must be shorter than idleTimeout \\(10\\)`)
    })
  }
  t.end()
})

t.test('a base path is a path without a slash at its end', (t) => {
  for (const basePath of ['/shop', '/a/b', '/%C3%BC']) t.equal(resolve({ basePath }).basePath, basePath)
  for (const basePath of ['', '/', 'shop', '/shop/', '/shop?a', 'https://shop.example', 1, null]) {
    t.throws(() => resolve({ basePath }), {
      code: 'ERR_SESSION_OPTION_INVALID',
      message: /^The option basePath must be a path such as '\/shop'/
    })
  }
  t.end()
})

t.test('a decorator is the name of a property', (t) => {
  for (const decorator of ['session', '$', '_s1', 'größe', 'adminSession']) {
    t.equal(resolve({ decorator }).decorator, decorator)
  }
  for (const decorator of ['', '1a', 'a-b', 'a b', 'a.b', '__proto__', 1, null, Symbol('s')]) {
    t.throws(() => resolve({ decorator }), {
      code: INVALID,
      message: /^The option decorator must be the name of a property; it is /
    })
  }
  t.end()
})

t.test('a clock is a function that returns milliseconds', (t) => {
  for (const clock of [Date.now, () => 0, () => 1.5]) t.equal(resolve({ clock }).clock, clock)
  const wrong: readonly unknown[] = [
    0,
    null,
    new Date(0),
    () => undefined,
    () => Number.NaN,
    () => -1,
    () => '5',
    () => 5n
  ]
  for (const clock of [...wrong, () => Number.POSITIVE_INFINITY, () => new Date(0), async () => 5]) {
    t.throws(() => resolve({ clock }), {
      code: INVALID,
      message: /^The option clock must be a function that returns milliseconds/
    })
  }
  t.end()
})

t.test('cookieName and cookie are checked, and the rules between them', (t) => {
  for (const cookieName of [1, null, ['session']]) {
    t.throws(() => resolve({ cookieName }), {
      code: INVALID,
      message: /^The option cookieName must be a string; it is /
    })
  }
  t.throws(() => resolve({ cookieName: 'a b' }), { code: INVALID })
  for (const cookie of [true, null, 'lax', [], () => ({})]) {
    t.throws(() => resolve({ cookie }), { code: INVALID, message: /^The option cookie must be an object; it is / })
  }
  t.throws(() => resolve({ cookie: { path: 'x' } }), { code: INVALID })
  t.throws(() => resolve({ cookieName: '__Host-s', cookie: { path: '/x' } }), { code: RULE })
  t.throws(() => resolve({ cookie: { sameSite: 'none', secure: false } }), { code: RULE })
  t.end()
})

t.test('an unknown option is refused, with the names of all that are known', (t) => {
  const names =
    'secret, encrypt, format, store, storeTimeout, maxBytes, maxPerOwner, maxPerOwnerPolicy, describe, freshness, signalInterval, revocations, maxStaleness, onStale, renameGrace, cookieName, cookie, idleTimeout, absoluteTimeout, maxIdleTimeout, maxAbsoluteTimeout, refreshAfter, permanent, schema, schemaVersion, migrations, onInvalidData, adopt, decorator, basePath, debug, clock'
  for (const name of ['secert', 'Secret', 'store2', '', 'constructor', 'toString', 'hasOwnProperty']) {
    const message = `There is no option named ${JSON.stringify(name)}. Known are ${names}.`
    t.throws(() => resolve({ [name]: undefined }), { code: UNKNOWN, message })
  }
  t.throws(() => resolveOptions(JSON.parse(`{"secret":"${SECRET}","__proto__":1}`)), { code: UNKNOWN })
  t.end()
})

t.test('an option of another library is refused, with what it is called here', (t) => {
  const here: Readonly<Record<string, string>> = {
    key: 'secret',
    keys: 'secret',
    secretKey: 'secret',
    password: 'secret',
    name: 'cookieName',
    sessionName: 'decorator',
    cookieOptions: 'cookie',
    ttl: 'idleTimeout, in seconds,',
    expiry: 'idleTimeout, in seconds,',
    maxAge: 'permanent, and idleTimeout and absoluteTimeout, in seconds,',
    expires: 'permanent, and idleTimeout and absoluteTimeout, in seconds,',
    rolling: 'refreshAfter',
    cookiePrefix: 'cookieName',
    proxy: 'trustProxy of Fastify'
  }
  for (const [name, ours] of Object.entries(here)) {
    const message = `There is no option named "${name}". Use ${ours} instead.`
    t.throws(() => resolve({ [name]: 'x' }), { code: UNKNOWN, message })
  }
  t.end()
})

t.test('an option of another library that has no counterpart says why', (t) => {
  for (const [name, why] of Object.entries({
    resave: 'Leave it out: a session is saved when it has changed, and never otherwise.',
    saveUninitialized: 'Leave it out: a new session is saved when it has data, and never otherwise.',
    unset: 'Leave it out: request.session = null ends a session, and so does destroy().',
    genid: 'Leave it out: every id is random.',
    idGenerator: 'Leave it out: every id is random.',
    autoCommit: 'Leave it out: a session is saved when it has changed, before the reply.',
    salt: 'Leave it out: the keys are derived from the secret.',
    algorithm: 'Leave it out: the cookie is signed with HMAC-SHA-256.'
  })) {
    t.throws(() => resolve({ [name]: true }), {
      code: 'ERR_SESSION_OPTION_UNKNOWN',
      message: `There is no option named "${name}". ${why}`
    })
  }
  t.throws(() => resolve({ cookie: { signed: true } as never }), {
    message: 'There is no cookie attribute named "signed". Leave it out: the cookie is always signed or encrypted.'
  })
  t.throws(() => resolve({ cookie: { overwrite: true } as never }), {
    message: 'There is no cookie attribute named "overwrite". Leave it out: a reply has one cookie of this name.'
  })
  for (const name of ['secure', 'httpOnly', 'sameSite', 'path', 'domain']) {
    t.throws(() => resolve({ [name]: true }), {
      message: `There is no option named "${name}". It is an attribute of the cookie: cookie: { ${name}: … }.`
    })
  }
  t.end()
})

t.test('an unknown cookie attribute is refused likewise', (t) => {
  const known = 'path, domain, httpOnly, sameSite, secure, partitioned, priority'
  t.throws(() => resolve({ cookie: { samesite: 'lax' } }), {
    code: UNKNOWN,
    message: `There is no cookie attribute named "samesite". Known are ${known}.`
  })
  t.throws(() => resolve({ cookie: { maxAge: 5 } }), {
    code: UNKNOWN,
    message:
      'There is no cookie attribute named "maxAge". Use permanent, and idleTimeout and absoluteTimeout, in seconds, instead.'
  })
  t.throws(() => resolve({ cookie: { expires: new Date(0) } }), { code: UNKNOWN })
  t.throws(() => resolve({ cookie: { signed: undefined } }), { code: UNKNOWN })
  t.end()
})

t.test('a store is what has all methods of one, whatever made it', (t) => {
  const store = new MemoryStore()
  const methods = ['create', 'load', 'commit', 'touch', 'destroy', 'list', 'destroyAll']
  const plain = Object.fromEntries(methods.map((name) => [name, async () => {}]))
  t.equal(resolve({ store }).store, store)
  t.equal(resolve({ store: plain }).store, plain)
  for (const name of methods) {
    for (const instead of [undefined, null, true]) {
      t.throws(() => resolve({ store: { ...plain, [name]: instead } }), { code: INVALID }, name)
    }
  }
  const expressStore = { get: () => {}, set: () => {}, destroy: () => {} }
  for (const wrong of [null, 'memory', true, MemoryStore, [], {}, new Map(), expressStore]) {
    t.throws(() => resolve({ store: wrong }), {
      code: INVALID,
      message:
        'The option store must be a SessionStore, such as new MemoryStore(): an object with the methods create, load, commit, touch, destroy, list, destroyAll. A store made for express-session goes through ExpressStore of fastify-typed-session/stores/express.'
    })
  }
  t.end()
})

t.test('with a store, too, data can be encrypted', (t) => {
  const store = new MemoryStore()
  t.equal(resolve({ store }).encrypt, false)
  t.equal(resolve({ store, encrypt: true }).encrypt, true)
  t.throws(() => resolve({ store, encrypt: 'yes' }), { code: INVALID })
  t.end()
})

t.test('a format of another framework has the keys and the defaults', (t) => {
  const format = {
    name: 'flask',
    secrets: [new TextEncoder().encode(OTHER)],
    idleTimeout: 500_000,
    absoluteTimeout: 600_000,
    create: () => undefined
  }
  const withFormat = (options: object): ReturnType<typeof resolve> => resolve({ secret: undefined, format, ...options })
  const { secrets, idleTimeout, absoluteTimeout } = format
  t.match(withFormat({}), { secrets, idleTimeout, absoluteTimeout, format, refreshAfter: 60 })
  t.match(withFormat({ absoluteTimeout: 70 }), { idleTimeout: 70, absoluteTimeout: 70 })
  t.match(withFormat({ idleTimeout: 60, encrypt: false }), { idleTimeout: 60, absoluteTimeout: 600_000 })
  const others = {
    secret: SECRET,
    encrypt: true,
    store: new MemoryStore(),
    revocations: new MemoryRevocations(),
    maxIdleTimeout: 60,
    maxAbsoluteTimeout: 60
  }
  for (const [name, value] of Object.entries(others)) {
    t.throws(() => withFormat({ [name]: value }), {
      code: INVALID,
      message: new RegExp(`^The options format and ${name} exclude each other: `)
    })
  }
  for (const wrong of ['flask', { name: 'flask' }, [], null]) {
    t.throws(() => withFormat({ format: wrong }), {
      code: INVALID,
      message: /^The option format must be what flaskCookie/
    })
  }
  t.end()
})

t.test('an option that needs another one is refused without it', (t) => {
  const orphans = {
    storeTimeout: 1,
    maxBytes: 1,
    maxPerOwner: 1,
    maxPerOwnerPolicy: 'refuse',
    describe: () => ({}),
    freshness: 1
  }
  for (const [name, value] of Object.entries(orphans)) {
    const message = `The option ${name} needs the option store.`
    t.throws(() => resolve({ [name]: value }), { code: INVALID, message })
    t.throws(() => resolve({ [name]: value, revocations: new MemoryRevocations() }), { code: INVALID, message })
  }
  for (const [name, value] of Object.entries({ maxStaleness: 1, onStale: 'refuse' })) {
    const message = `The option ${name} needs the option revocations.`
    t.throws(() => resolve({ [name]: value }), { code: INVALID, message })
    t.throws(() => resolve({ [name]: value, store: new MemoryStore() }), { code: INVALID, message })
  }
  t.throws(() => resolve({ renameGrace: 1 }), {
    code: INVALID,
    message: 'The option renameGrace needs the option store, or the option revocations.'
  })
  t.throws(() => resolve({ store: new MemoryStore(), maxPerOwnerPolicy: 'refuse' }), {
    code: INVALID,
    message: 'The option maxPerOwnerPolicy needs the option maxPerOwner.'
  })
  t.end()
})

t.test('a store has two seconds for a call, or as long as is said', (t) => {
  const store = new MemoryStore()
  t.equal(resolve({ store }).storeTimeout, 2)
  for (const storeTimeout of [0.001, 0.5, 600]) t.equal(resolve({ store, storeTimeout }).storeTimeout, storeTimeout)
  for (const storeTimeout of [0, -1, 601, Number.NaN, Number.POSITIVE_INFINITY, '2', null, 2n]) {
    t.throws(() => resolve({ store, storeTimeout }), {
      code: INVALID,
      message: /^The option storeTimeout must be a number of seconds, more than 0 and at most 600; it is /
    })
  }
  t.end()
})

t.test('a session in a store has at most a mebibyte, or as many bytes as is said', (t) => {
  const store = new MemoryStore()
  t.equal(resolve({ store }).maxBytes, 1_048_576)
  for (const maxBytes of [1, 4096, MOST]) t.equal(resolve({ store, maxBytes }).maxBytes, maxBytes)
  for (const maxBytes of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, MOST + 1, '1', null, 2n]) {
    t.throws(() => resolve({ store, maxBytes }), {
      code: INVALID,
      message: /^The option maxBytes must be a whole number of bytes from 1 to 2147483647; it is /
    })
  }
  t.end()
})

t.test('an owner may have as many sessions as is said, and the oldest make room unless one more is refused', (t) => {
  const store = new MemoryStore()
  const limitOf = (options: object): unknown => resolve({ store, ...options }).ownerLimit
  t.equal(limitOf({}), undefined)
  t.same(limitOf({ maxPerOwner: 3 }), { max: 3, evict: true })
  t.same(limitOf({ maxPerOwner: 1, maxPerOwnerPolicy: 'evict-oldest' }), { max: 1, evict: true })
  t.same(limitOf({ maxPerOwner: 1, maxPerOwnerPolicy: 'refuse' }), { max: 1, evict: false })
  for (const maxPerOwner of [0, -1, 1.5, '3', null, Number.POSITIVE_INFINITY]) {
    t.throws(() => limitOf({ maxPerOwner }), {
      code: INVALID,
      message: /^The option maxPerOwner must be a whole number of sessions from 1 to 2147483647; it is /
    })
  }
  for (const maxPerOwnerPolicy of ['evict', 'Refuse', true, null, 1]) {
    t.throws(() => limitOf({ maxPerOwner: 1, maxPerOwnerPolicy }), {
      code: INVALID,
      message: /^The option maxPerOwnerPolicy must be 'evict-oldest' or 'refuse'; it is /
    })
  }
  t.end()
})

t.test('what describe gives is JSON, and an object', (t) => {
  const store = new MemoryStore()
  const request = { ip: '::1' } as FastifyRequest
  const settings = resolve({ store, describe: (given: FastifyRequest) => ({ ip: given.ip, list: [1] }) })
  t.equal(settings.describe?.(request), '{"ip":"::1","list":[1]}')
  for (const given of [undefined, null, 'text', 5, ['a']]) {
    t.throws(() => resolve({ store, describe: () => given }).describe?.(request), {
      code: INVALID,
      message: /^The option describe must return an object; it returned /
    })
  }
  for (const [given, path] of [
    [{ at: new Date(0) }, /description\.at holds an instance of Date/],
    [new Map([['ip', 'hunter2']]), /^describe\(\)\.description holds an instance of Map/],
    [Promise.resolve({ ip: 'hunter2' }), /^describe\(\)\.description holds an instance of Promise/]
  ] as const) {
    const { describe } = resolve({ store, describe: () => given })
    const expected = { code: 'ERR_SESSION_VALUE', cause: { message: path } }
    const error = t.throws(() => describe?.(request), expected) as Error & { cause: Error }
    t.notMatch(error.message + error.cause.message, /hunter2/)
  }
  for (const given of ['hunter2', ['hunter2'], Symbol('hunter2')]) {
    const error = t.throws(() => resolve({ store, describe: () => given }).describe?.(request)) as Error
    t.notMatch(error.message, /hunter2/, 'messages reach clients')
  }
  for (const describe of [null, {}, 'ip', true]) {
    t.throws(() => resolve({ store, describe }), {
      code: INVALID,
      message: /^The option describe must be a function that takes a request and returns an object; it is /
    })
  }
  t.end()
})

t.test("Fastify's own options of register are left alone", (t) => {
  t.strictSame(resolve({ prefix: '/a', logLevel: 'warn', logSerializers: {} }), resolve({}))
  t.end()
})

t.test('secrets are text or bytes, one or many, in their order', (t) => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text)
  t.strictSame(resolve({ secret: SECRET }).secrets, [encode(SECRET)])
  t.strictSame(resolve({ secret: [SECRET] }).secrets, [encode(SECRET)])
  t.strictSame(resolve({ secret: [OTHER, SECRET] }).secrets, [encode(OTHER), encode(SECRET)])
  t.strictSame(resolve({ secret: Buffer.from(SECRET) }).secrets, [encode(SECRET)])
  t.strictSame(resolve({ secret: [encode(SECRET), OTHER] }).secrets, [encode(SECRET), encode(OTHER)])
  const umlauts = 'äöüßÄÖÜ€ – fünf Füße groß, Öl für Ärzte'
  t.strictSame(resolve({ secret: umlauts }).secrets, [encode(umlauts)])
  t.end()
})

t.test('a missing secret is refused, with how to get one', (t) => {
  for (const secret of [undefined, null, '']) {
    const message =
      'The option secret is missing. Run `npx fastify-typed-session secret` and keep what it prints in an environment variable.'
    t.throws(() => resolve({ secret }), { code: MISSING, message })
    t.throws(() => resolve({ secret: [SECRET, secret] }), {
      code: MISSING,
      message: /^The option secret\[1\] is missing\./
    })
  }
  t.throws(() => resolve({ secret: [] }), { code: MISSING, message: /^The option secret is an empty array\. Run `npx/ })
  t.throws(() => resolveOptions({} as SessionOptions), { code: MISSING })
  t.end()
})

t.test('a secret of another type is refused without being shown', (t) => {
  for (const secret of [2 ** 110, true, { key: SECRET }, [SECRET], () => SECRET, Symbol(SECRET)]) {
    const message = new RegExp(`^The option secret\\[0\\] must be a string or bytes; it is a ${typeof secret}\\.$`)
    t.throws(() => resolve({ secret: [secret] }), { code: INVALID, message })
  }
  t.throws(() => resolve({ secret: new Uint16Array(32) }), { code: INVALID })
  t.throws(() => resolve({ secret: new ArrayBuffer(32) }), { code: INVALID })
  t.end()
})

t.test('32 characters or bytes are enough, and 31 are not', (t) => {
  t.equal(SECRET.length, 32)
  t.throws(() => resolve({ secret: SECRET.slice(1) }), {
    code: WEAK,
    message: /^The option secret must have at least 32 characters; it has 31\. Run `npx fastify-typed-session secret`/
  })
  t.throws(() => resolve({ secret: [SECRET, Buffer.from(SECRET).subarray(1)] }), {
    code: WEAK,
    message: /^The option secret\[1\] must have at least 32 bytes; it has 31\./
  })
  t.throws(() => resolve({ secret: 'x' }), { code: WEAK })
  t.throws(() => resolve({ secret: new Uint8Array(0) }), { code: WEAK })
  t.end()
})

t.test('a secret that can be guessed is refused, as text and as bytes, with how to get another', (t) => {
  for (const [secret, why] of [
    ['passwordpasswordpasswordpassword', 'has only 7 different bytes; a random key has far more'],
    [
      'a secret with minimum length of 32 characters',
      'is made of words that stand in placeholders, such as "change me"'
    ],
    ['averylogphrasebiggerthanthirtytwochars', 'is a sample from some documentation, known to everyone'],
    ['q7Zs0vD2mK9xT4bNq7Zs0vD2mK9xT4bN', 'is one piece, repeated'],
    ['qwertyuiopasdfghjklzxcvbnm123456', 'is a sequence, such as 0123456789 or qwertyuiop']
  ] as const) {
    for (const given of [secret, Buffer.from(secret)]) {
      t.throws(() => resolve({ secret: [SECRET, given] }), {
        code: WEAK,
        message: `The option secret[1] ${why}. Run \`npx fastify-typed-session secret\` and keep what it prints in an environment variable.`
      })
    }
  }
  t.throws(() => resolve({ secret: new Uint8Array(64) }), { code: WEAK, message: /only 1 different bytes/ })
  t.end()
})

t.test('the same secret twice is refused, as text or as bytes', (t) => {
  const message = 'secret[2] is the same as secret[0]. Remove one of them.'
  t.throws(() => resolve({ secret: [SECRET, OTHER, SECRET] }), { code: INVALID, message })
  t.throws(() => resolve({ secret: [SECRET, OTHER, Buffer.from(SECRET)] }), { code: INVALID, message })
  t.end()
})

t.test('random keys are accepted in every spelling', (t) => {
  for (let round = 0; round < 200; round++) {
    const key = randomBytes(32)
    for (const secret of [key, key.toString('hex'), key.toString('base64url'), key.toString('base64')]) {
      if (resolve({ secret }).secrets.length !== 1) t.fail('refused')
    }
  }
  t.pass('200 keys')
  t.end()
})

t.test('no message contains the secret', (t) => {
  const weak = 'abcabcabcabcabcabcabcabcabcabcabcabc'
  const short = 'hunter2-hunter2'
  const wrong: readonly Record<string, unknown>[] = [
    { secret: weak },
    { secret: short },
    { secret: [SECRET, SECRET] },
    { secret: [SECRET, short] },
    { secret: { value: SECRET } },
    { secret: [[SECRET]] },
    { secret: 'complexpasswordatleast32characterslong' },
    { key: SECRET },
    { password: SECRET },
    { secrets: [SECRET] },
    { cookie: { secret: SECRET } },
    { encrypt: 'yes' },
    { idleTimeout: 0 }
  ]
  for (const options of wrong) {
    let shown = ''
    try {
      resolve(options)
    } catch (error) {
      shown = inspect(error)
    }
    t.match(shown, /ERR_SESSION_/)
    for (const text of [SECRET, weak, short, 'complexpassword'])
      t.notOk(shown.includes(text), Object.keys(options).join())
  }
  t.end()
})

t.test('how long an old id is known, and how old a loaded session may be, are seconds up to an hour', (t) => {
  const store = new MemoryStore()
  for (const name of ['renameGrace', 'freshness'] as const) {
    for (const seconds of [0, 1, 3600]) t.equal(resolve({ store, [name]: seconds })[name], seconds)
    for (const seconds of [-1, 0.5, 3601, Number.NaN, '1', null]) {
      t.throws(() => resolve({ store, [name]: seconds }), {
        code: 'ERR_SESSION_OPTION_INVALID',
        message: new RegExp(`^The option ${name} must be a whole number of seconds from 0 to 3600; it is `)
      })
    }
  }
  t.end()
})

t.test('the options of a schema are read together', (t) => {
  const schema = z.object({ visits: z.number() })
  t.equal(resolve({ schema, schemaVersion: 3 }).schema?.version, 3)
  t.throws(() => resolve({ schemaVersion: 3 }), { code: 'ERR_SESSION_OPTION_INVALID' })
  t.end()
})

t.test('a list of what has ended early goes with a cookie that holds the data', (t) => {
  const revocations = new MemoryRevocations()
  for (const encrypt of [false, true]) {
    const settings = resolve({ revocations, encrypt, maxStaleness: 2, onStale: 'refuse', renameGrace: 0 })
    t.match(settings, { revocations, encrypt, maxStaleness: 2, onStale: 'refuse', renameGrace: 0, freshness: 0 })
  }
  t.match(resolve({ revocations: { add: () => {}, since: () => {} } }), { maxStaleness: 5, onStale: 'accept' })
  for (const wrong of [
    null,
    1,
    'redis://localhost',
    {},
    { add: () => {} },
    { since: () => {} },
    [],
    MemoryRevocations
  ]) {
    t.throws(() => resolve({ revocations: wrong }), { code: INVALID, message: /^The option revocations must be / })
  }
  t.throws(() => resolve({ revocations, store: new MemoryStore() }), {
    code: INVALID,
    message: /^The options store and revocations exclude each other: /
  })
  for (const maxStaleness of [0, 3601, 1.5, '5']) {
    t.throws(() => resolve({ revocations, maxStaleness }), { code: INVALID, message: /^The option maxStaleness must / })
  }
  for (const onStale of ['', 'ignore', true]) {
    t.throws(() => resolve({ revocations, onStale }), {
      code: INVALID,
      message: /^The option onStale must be 'accept' or 'refuse'; /
    })
  }
  t.end()
})
