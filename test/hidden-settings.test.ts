import { inspect } from 'node:util'
import t from 'tap'
import { findSettings, hideSettings } from '../lib/hidden-settings.ts'
import { resolveOptions } from '../lib/options.ts'
import { createApp, SECRET } from './helpers/app.ts'

t.test('settings are found behind the object that they were hidden in, and nowhere else', async (t) => {
  const settings = resolveOptions({ secret: SECRET })
  const sessions = {}
  hideSettings(sessions, settings)
  t.equal(findSettings(sessions), settings)
  for (const other of [{}, undefined, null, 'text']) t.equal(findSettings(other), undefined)
})

t.test('whoever logs app.sessions, or makes JSON of it, tells no secret', async (t) => {
  const { app } = await createApp()
  t.same(findSettings(app.sessions)?.secrets, [Buffer.from(SECRET)])
  t.notMatch(inspect(app.sessions, { depth: null }), /secrets/)
  t.equal(JSON.stringify(app.sessions), '{}')
  t.same(Object.keys(app.sessions), [])
})
