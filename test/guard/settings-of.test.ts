import t from 'tap'
import { settingsOf } from '../../lib/guard/settings-of.ts'
import { createApp } from '../helpers/app.ts'

t.test('the settings of a session are found by its request and its name', async (t) => {
  const { app } = await createApp({ idleTimeout: 100 })
  app.get('/', async (request) => [
    settingsOf(request, 'session')?.idleTimeout,
    settingsOf(request, 'other') ?? 'none',
    settingsOf({}, 'session') ?? 'none'
  ])
  t.same((await app.inject('/')).json(), [100, 'none', 'none'])
})
