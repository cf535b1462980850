import { readFileSync } from 'node:fs'
import t from 'tap'
import * as errors from '../lib/errors.ts'

const CLASSES = [
  [errors.UnknownOptionError, 'ERR_SESSION_OPTION_UNKNOWN', TypeError],
  [errors.InvalidOptionError, 'ERR_SESSION_OPTION_INVALID', TypeError],
  [errors.MissingSecretError, 'ERR_SESSION_SECRET_MISSING', TypeError],
  [errors.WeakSecretError, 'ERR_SESSION_SECRET_WEAK', TypeError],
  [errors.CookieRuleError, 'ERR_SESSION_COOKIE_RULE', TypeError],
  [errors.DuplicateSessionError, 'ERR_SESSION_DUPLICATE', Error],
  [errors.PeerMissingError, 'ERR_SESSION_PEER_MISSING', Error],
  [errors.NotInDevelopmentError, 'ERR_SESSION_NOT_IN_DEVELOPMENT', Error],
  [errors.ReservedKeyError, 'ERR_SESSION_RESERVED_KEY', TypeError],
  [errors.InvalidValueError, 'ERR_SESSION_VALUE', TypeError],
  [errors.SchemaError, 'ERR_SESSION_SCHEMA', TypeError],
  [errors.SchemaAsyncError, 'ERR_SESSION_SCHEMA_ASYNC', TypeError],
  [errors.TooLargeError, 'ERR_SESSION_TOO_LARGE', RangeError],
  [errors.DestroyedError, 'ERR_SESSION_DESTROYED', Error],
  [errors.DisabledError, 'ERR_SESSION_DISABLED', Error],
  [errors.NotRegisteredError, 'ERR_SESSION_NOT_REGISTERED', Error],
  [errors.NotSavedError, 'ERR_SESSION_NOT_SAVED', Error],
  [errors.NotLoadedError, 'ERR_SESSION_NOT_LOADED', Error],
  [errors.RevocationsRequiredError, 'ERR_SESSION_REVOCATIONS_REQUIRED', Error],
  [errors.StoreRequiredError, 'ERR_SESSION_STORE_REQUIRED', Error],
  [errors.LoginRequiredError, 'ERR_SESSION_LOGIN_REQUIRED', Error],
  [errors.ForbiddenError, 'ERR_SESSION_FORBIDDEN', Error],
  [errors.RedirectLoopError, 'ERR_SESSION_REDIRECT_LOOP', Error],
  [errors.NotFreshError, 'ERR_SESSION_NOT_FRESH', Error],
  [errors.ImpersonationError, 'ERR_SESSION_IMPERSONATION', Error],
  [errors.TokenError, 'ERR_SESSION_TOKEN', Error],
  [errors.CrossSiteError, 'ERR_SESSION_CROSS_SITE', Error],
  [errors.EndedError, 'ERR_SESSION_ENDED', Error],
  [errors.GoneError, 'ERR_SESSION_GONE', Error],
  [errors.ConflictError, 'ERR_SESSION_CONFLICT', Error],
  [errors.LimitError, 'ERR_SESSION_LIMIT', Error],
  [errors.StoreUnavailableError, 'ERR_SESSION_STORE_UNAVAILABLE', Error],
  [errors.UnreadableError, 'ERR_SESSION_UNREADABLE', Error]
] as const

/** Every other one is the mistake of somebody here: 500. */
const STATUS: Readonly<Record<string, number>> = {
  ERR_SESSION_LOGIN_REQUIRED: 401,
  ERR_SESSION_FORBIDDEN: 403,
  ERR_SESSION_ENDED: 401,
  ERR_SESSION_NOT_FRESH: 401,
  ERR_SESSION_TOKEN: 400,
  ERR_SESSION_IMPERSONATION: 409,
  ERR_SESSION_CROSS_SITE: 403,
  ERR_SESSION_GONE: 409,
  ERR_SESSION_CONFLICT: 409,
  ERR_SESSION_LIMIT: 409,
  ERR_SESSION_STORE_UNAVAILABLE: 503
}

t.test('every error has its code, its status, its base and the message that it was given', (t) => {
  for (const [Class, code, Base] of CLASSES) {
    const error = new Class('what happened')
    t.equal(error.code, code)
    t.equal(error.statusCode, STATUS[code] ?? 500, code)
    t.equal(error.message, 'what happened')
    t.equal(error.name, 'FastifyError')
    t.ok(error instanceof Class && error instanceof Base && error instanceof Error, code)
    for (const [Other] of CLASSES) t.equal(error instanceof Other, Other === Class)
  }
  t.end()
})

t.test('per cent signs in a message stay as they are', (t) => {
  for (const [Class] of CLASSES) t.equal(new Class('100 %s %d %%').message, '100 %s %d %%')
  t.end()
})

t.test('the stack starts where the error was made', (t) => {
  for (const [Class] of CLASSES) t.match(new Class('here').stack?.split('\n')[1], 'errors.test.ts')
  t.end()
})

t.test('a session that somebody else has ended is said in one way', (t) => {
  const error = errors.goneError()
  t.ok(error instanceof errors.GoneError)
  t.match(error, { code: 'ERR_SESSION_GONE', statusCode: 409, message: /has ended this session.*has expired.*Nothing/ })
  t.end()
})

t.test('a session that is still to be loaded is said in one way', (t) => {
  t.match(errors.notLoadedError(), { code: 'ERR_SESSION_NOT_LOADED', message: /register the session plugin first/ })
  t.end()
})

t.test('a session that has ended says why', (t) => {
  const error = errors.endedError('revoked')
  t.match(error, { code: 'ERR_SESSION_ENDED', statusCode: 401, reason: 'revoked', message: 'The session has ended.' })
  t.end()
})

t.test('a cursor that leads nowhere is a mistake of the client', (t) => {
  t.match(errors.cursorError(), { code: 'ERR_SESSION_VALUE', statusCode: 400, message: /leads nowhere/ })
  t.end()
})

t.test('what the user of a request cannot do names the method, and the way out', (t) => {
  const acting = errors.impersonatingError('request.login()')
  t.match(acting, {
    code: 'ERR_SESSION_IMPERSONATION',
    statusCode: 409,
    message: /^request\.login\(\) .*stopImpersonating/
  })
  const token = errors.tokenError('request.login()')
  t.match(token, { code: 'ERR_SESSION_TOKEN', statusCode: 400, message: /^request\.login\(\) .*without that header/ })
  t.end()
})

t.test('every declared code has one class and every class a declared code', (t) => {
  const declared = readFileSync(new URL('../types/errors.ts', import.meta.url), 'utf8').match(/(?<=\| ')ERR_\w+/g)
  const codes = CLASSES.map(([, code]) => code as string)
  t.same(codes.toSorted(), declared?.toSorted())
  t.equal(new Set(codes).size, codes.length)
  const classes = Object.keys(errors).filter((name) => /^[A-Z]/.test(name))
  t.equal(classes.length, CLASSES.length, 'and none is missing here')
  t.end()
})

t.test('a store that is not there answers 503, with when to come back and what was wrong', async (t) => {
  const cause = new Error('ECONNREFUSED')
  for (const create of [errors.unavailableError, errors.revocationsUnavailableError]) {
    t.match(create(cause), {
      code: 'ERR_SESSION_STORE_UNAVAILABLE',
      statusCode: 503,
      cause,
      headers: { 'retry-after': '5' }
    })
  }
})

t.test('an error of the package is recognised by its code, whichever copy of the package made it', (t) => {
  const error = (members: object): Error => Object.assign(new Error('what happened'), members)
  for (const [Class, code] of CLASSES) {
    t.ok(errors.isSessionError(new Class('what happened')), code)
    t.ok(errors.isSessionError(error({ code, statusCode: 500 })), `${code} of another copy`)
  }
  t.ok(errors.isSessionError(errors.goneError()))
  t.ok(errors.isSessionError(Object.assign(new errors.LoginRequiredError('Log in first.'), { statusCode: 404 })))
  const code = 'ERR_SESSION_GONE'
  const others: readonly unknown[] = [
    ...[undefined, null, 'ERR_SESSION_GONE', 409, {}, () => {}],
    new Error(code),
    error({ code }),
    error({ code, statusCode: '409' }),
    error({ code: 'ERR_SESSION_OF_A_LATER_VERSION', statusCode: 500 }),
    error({ code: 'FST_ERR_VALIDATION', statusCode: 400 }),
    error({ code: [code], statusCode: 409 }),
    // The body of a reply says the same, and is no error.
    { statusCode: 409, code, error: 'Conflict', message: 'what happened' }
  ]
  for (const other of others) t.notOk(errors.isSessionError(other), String(other))
  t.end()
})

t.test('damage in a store is recognised by its code, whoever throws it', async (t) => {
  const code = 'ERR_SESSION_UNREADABLE'
  t.match(errors.unreadableError(), { code, statusCode: 500 })
  t.ok(errors.isUnreadable(errors.unreadableError()))
  t.ok(errors.isUnreadable(Object.assign(new Error('of another store'), { code, statusCode: 500 })))
  t.equal(errors.unlessUnreadable(errors.unreadableError()), undefined)
  t.throws(() => errors.unlessUnreadable(errors.goneError()), errors.goneError())
  for (const other of [undefined, new Error(code), errors.goneError(), { code, statusCode: 500 }]) {
    t.notOk(errors.isUnreadable(other))
  }
})

t.test('a session that has ended says why', (t) => {
  const error = errors.endedError('expired')
  t.match(error, { code: 'ERR_SESSION_ENDED', statusCode: 401, reason: 'expired', message: 'The session has ended.' })
  t.equal(errors.isSessionError(error), true)
  t.end()
})
