import t from 'tap'
import { warnOfSharing } from '../../lib/diagnostics/shared-reply.ts'
import { createApp } from '../helpers/app.ts'

t.test('the warning says which cookie, what was done, and what to do', async (t) => {
  const { app, warnings } = await createApp()
  app.get('/', async (request) => warnOfSharing(request, 'remember'))
  await app.inject('/')
  t.match(warnings(), [{ reason: 'shared-cache', cookieName: 'remember', msg: /made private.*Cache-Control: private/ }])
})
