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
  [errors.ReservedKeyError, 'ERR_SESSION_RESERVED_KEY', TypeError],
  [errors.InvalidValueError, 'ERR_SESSION_VALUE', TypeError],
  [errors.TooLargeError, 'ERR_SESSION_TOO_LARGE', RangeError],
  [errors.DestroyedError, 'ERR_SESSION_DESTROYED', Error],
  [errors.DisabledError, 'ERR_SESSION_DISABLED', Error],
  [errors.NotRegisteredError, 'ERR_SESSION_NOT_REGISTERED', Error]
] as const

t.test('every error has its code, the status 500, its base and the message that it was given', (t) => {
  for (const [Class, code, Base] of CLASSES) {
    const error = new Class('what happened')
    t.equal(error.code, code)
    t.equal(error.statusCode, 500)
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

t.test('every declared code has one class and every class a declared code', (t) => {
  const declared = readFileSync(new URL('../types/errors.ts', import.meta.url), 'utf8').match(/(?<=\| ')ERR_\w+/g)
  const codes = CLASSES.map(([, code]) => code as string)
  t.same(codes.toSorted(), declared?.toSorted())
  t.equal(new Set(codes).size, codes.length)
  t.equal(Object.keys(errors).length, CLASSES.length, 'and none is missing here')
  t.end()
})
