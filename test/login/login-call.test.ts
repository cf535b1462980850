import t from 'tap'
import type { LoginCall } from '../../lib/login/login-call.ts'
import { resolveLoginCall } from '../../lib/login/login-call.ts'

function resolve(options: object, canRemember: boolean): LoginCall {
  return resolveLoginCall(options, canRemember, 'request.login()')
}

t.test('a login is fresh and not remembered, unless the options say otherwise', async (t) => {
  const usual = { isRemembered: false, isFresh: true, isCrossSite: false, keep: undefined }
  t.strictSame(resolve({}, false), usual)
  t.strictSame(resolve({ remember: undefined, fresh: undefined, keep: undefined }, true), usual)
  t.strictSame(resolve({ remember: true, fresh: false, allowCrossSite: true, keep: ['cart'] }, true), {
    isRemembered: true,
    isFresh: false,
    isCrossSite: true,
    keep: ['cart']
  })
})

t.test('wrong options are refused', async (t) => {
  for (const [options, code] of [
    [{ remeber: true }, 'ERR_SESSION_OPTION_UNKNOWN'],
    ['x', 'ERR_SESSION_OPTION_INVALID'],
    [{ remember: 1 }, 'ERR_SESSION_OPTION_INVALID'],
    [{ fresh: 'yes' }, 'ERR_SESSION_OPTION_INVALID'],
    [{ allowCrossSite: null }, 'ERR_SESSION_OPTION_INVALID'],
    [{ keep: 'cart' }, 'ERR_SESSION_OPTION_INVALID'],
    [{ keep: [1] }, 'ERR_SESSION_OPTION_INVALID']
  ] as const) {
    t.throws(() => resolve(options as never, true), { code }, JSON.stringify(options))
  }
  t.throws(() => resolve({ remember: true }, false), {
    code: 'ERR_SESSION_VALUE',
    message: /^request\.login\(\) cannot remember/
  })
})
