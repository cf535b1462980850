import t from 'tap'
import { resolveInspectorOptions } from '../../lib/inspector/options.ts'
import type { InspectorOptions } from '../../types/inspector.ts'

t.test('all options have defaults', async (t) => {
  t.same(resolveInspectorOptions({}, 'development'), { path: '/session-inspector', decorator: 'session' })
  const layout = (content: string): string => content
  const given = { path: '/debug/session', decorator: 'admin', allowOutsideDevelopment: false, layout }
  t.same(resolveInspectorOptions(given, 'development'), given)
})

t.test('everything but development needs allowOutsideDevelopment', async (t) => {
  for (const environment of [undefined, '', 'production', 'staging', 'test', 'Development']) {
    for (const options of [{}, { allowOutsideDevelopment: false }]) {
      t.throws(() => resolveInspectorOptions(options, environment), { code: 'ERR_SESSION_NOT_IN_DEVELOPMENT' })
    }
    t.match(resolveInspectorOptions({ allowOutsideDevelopment: true }, environment), { path: '/session-inspector' })
  }
})

t.test('wrong options are refused', async (t) => {
  for (const [options, code] of [
    [{ paths: '/' }, 'ERR_SESSION_OPTION_UNKNOWN'],
    [{ path: 'session' }, 'ERR_SESSION_OPTION_INVALID'],
    [{ path: '/' }, 'ERR_SESSION_OPTION_INVALID'],
    [{ path: '/:id' }, 'ERR_SESSION_OPTION_INVALID'],
    [{ path: 7 }, 'ERR_SESSION_OPTION_INVALID'],
    [{ decorator: 7 }, 'ERR_SESSION_OPTION_INVALID'],
    [{ allowOutsideDevelopment: 'yes' }, 'ERR_SESSION_OPTION_INVALID'],
    [{ layout: '<html>' }, 'ERR_SESSION_OPTION_INVALID']
  ] as const) {
    t.throws(() => resolveInspectorOptions(options as unknown as InspectorOptions, 'development'), { code })
  }
})
