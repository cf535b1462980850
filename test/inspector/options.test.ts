import t from 'tap'
import { resolveInspectorOptions } from '../../lib/inspector/options.ts'
import type { InspectorOptions } from '../../types/inspector.ts'

t.test('all options have defaults', async (t) => {
  for (const environment of [undefined, 'development', 'test']) {
    t.same(resolveInspectorOptions({}, environment), { path: '/session-inspector', decorator: 'session' })
  }
  const layout = (content: string): string => content
  const given = { path: '/debug/session', decorator: 'admin', allowInProduction: false, layout }
  t.same(resolveInspectorOptions(given, undefined), given)
})

t.test('production needs allowInProduction', async (t) => {
  for (const options of [{}, { allowInProduction: false }]) {
    t.throws(() => resolveInspectorOptions(options, 'production'), { code: 'ERR_SESSION_NOT_IN_PRODUCTION' })
  }
  t.match(resolveInspectorOptions({ allowInProduction: true }, 'production'), { path: '/session-inspector' })
})

t.test('wrong options are refused', async (t) => {
  for (const [options, code] of [
    [{ paths: '/' }, 'ERR_SESSION_OPTION_UNKNOWN'],
    [{ path: 'session' }, 'ERR_SESSION_OPTION_INVALID'],
    [{ path: '/' }, 'ERR_SESSION_OPTION_INVALID'],
    [{ path: '/:id' }, 'ERR_SESSION_OPTION_INVALID'],
    [{ path: 7 }, 'ERR_SESSION_OPTION_INVALID'],
    [{ decorator: 7 }, 'ERR_SESSION_OPTION_INVALID'],
    [{ allowInProduction: 'yes' }, 'ERR_SESSION_OPTION_INVALID'],
    [{ layout: '<html>' }, 'ERR_SESSION_OPTION_INVALID']
  ] as const) {
    t.throws(() => resolveInspectorOptions(options as unknown as InspectorOptions, undefined), { code })
  }
})
