import t from 'tap'
import { resolveLoginCall } from '../../lib/login/login-call.ts'

t.test('a login is fresh and not remembered, unless the options say otherwise', async (t) => {
  const usual = { isRemembered: false, isFresh: true, isCrossSite: false, keep: undefined }
  t.strictSame(resolveLoginCall({}, false), usual)
  t.strictSame(resolveLoginCall({ remember: undefined, fresh: undefined, keep: undefined }, true), usual)
  t.strictSame(
    resolveLoginCall({ remember: true, fresh: false, allowCrossSite: true, keep: ['cart'] as never }, true),
    {
      isRemembered: true,
      isFresh: false,
      isCrossSite: true,
      keep: ['cart']
    }
  )
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
    t.throws(() => resolveLoginCall(options as never, true), { code }, JSON.stringify(options))
  }
  t.throws(() => resolveLoginCall({ remember: true }, false), { code: 'ERR_SESSION_VALUE', message: /remember/ })
})
