import t from 'tap'
import { setIfItFits } from '../../lib/guard/set-if-it-fits.ts'
import { requestSession } from '../../lib/request/get-session.ts'
import { createApp } from '../helpers/app.ts'

t.test('a member is set, unless the session would become too large', async (t) => {
  const { app } = await createApp()
  app.get('/', async (request) => {
    const session = requestSession(request, 'session')
    setIfItFits(session, 'name', 'a')
    setIfItFits(session, 'name', 'x'.repeat(4096))
    setIfItFits(session, 'other', 'x'.repeat(4096))
    return session.data()
  })
  t.same((await app.inject('/')).json(), { name: 'a' })
})
