import t from 'tap'
import { writeInstructions } from '../../lib/device-bound/instructions.ts'

t.test('what the browser is told of its session', async (t) => {
  const told = {
    identifier: 'dabc',
    refreshPath: '/session/device/refresh',
    cookieName: 'session-device',
    cookieAttributes: 'Path=/; HttpOnly; Secure; SameSite=Lax'
  }
  t.same(JSON.parse(writeInstructions({ protocol: 'https', host: 'app.test:8443' }, told)), {
    session_identifier: 'dabc',
    refresh_url: '/session/device/refresh',
    scope: { origin: 'https://app.test:8443', include_site: false, scope_specification: [] },
    credentials: [{ type: 'cookie', name: 'session-device', attributes: 'Path=/; HttpOnly; Secure; SameSite=Lax' }]
  })
})
