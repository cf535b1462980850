import t from 'tap'
import { resolveDeviceBoundOptions } from '../../lib/device-bound/options.ts'
import type { DeviceBoundOptions } from '../../types/device-bound.ts'

t.test('the defaults', async (t) => {
  const defaults = {
    path: '/session/device',
    refreshEvery: 600,
    offersToOwners: true,
    offerAgainAfter: 86_400,
    onSkipped: 'refuse',
    decorator: 'session'
  }
  t.same(resolveDeviceBoundOptions({}), defaults)
  t.same(resolveDeviceBoundOptions({ prefix: '/v1', path: undefined } as DeviceBoundOptions), defaults)
})

t.test('every option', async (t) => {
  const options = {
    path: '/a-b/c',
    refreshEvery: 60,
    offerAtLogin: false,
    offerAgainAfter: 0,
    onSkipped: 'accept',
    decorator: 'adminSession'
  } as const
  const { offerAtLogin: _, ...same } = options
  t.same(resolveDeviceBoundOptions(options), { ...same, offersToOwners: false })
})

t.test('wrong options are refused', async (t) => {
  for (const options of [
    { path: 'device' },
    { path: '/device/' },
    { path: '/' },
    { path: '//evil.test' },
    { path: '/device?a' },
    { path: '/device#a' },
    { path: '/:device' },
    { path: '/*' },
    { path: '/a"b' },
    { path: 7 },
    { refreshEvery: 0 },
    { refreshEvery: 86_401 },
    { offerAtLogin: 'yes' },
    { offerAgainAfter: -1 },
    { onSkipped: 'ignore' },
    { decorator: 7 }
  ]) {
    t.throws(
      () => resolveDeviceBoundOptions(options as DeviceBoundOptions),
      { code: 'ERR_SESSION_OPTION_INVALID' },
      JSON.stringify(options)
    )
  }
  t.throws(() => resolveDeviceBoundOptions({ interval: 7 } as DeviceBoundOptions), {
    code: 'ERR_SESSION_OPTION_UNKNOWN'
  })
})
