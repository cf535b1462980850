import { inspect } from 'node:util'
import t from 'tap'
import { hiddenSettings } from '../../lib/options.ts'
import { Hidden } from '../../lib/util/session-context.ts'
import { createApp, SECRET } from '../helpers/app.ts'

t.test('what was hidden behind an object is found there, and nowhere else', async (t) => {
  const [hidden, other] = [new Hidden<string[]>(), new Hidden<string[]>()]
  const [holder, value] = [{}, ['value']]
  hidden.put(holder, value)
  t.equal(hidden.get(holder), value)
  t.equal(other.get(holder), undefined)
  for (const nothing of [{}, { ...holder }, [], undefined, null, 1, 'text']) t.equal(hidden.get(nothing), undefined)
})

t.test('whoever logs app.sessions, or makes JSON of it, tells no secret', async (t) => {
  const { app } = await createApp()
  t.same(hiddenSettings.get(app.sessions)?.secrets, [Buffer.from(SECRET)])
  t.notMatch(inspect(app.sessions, { depth: null }), /secrets/)
  t.equal(JSON.stringify(app.sessions), '{}')
  t.same(Object.keys(app.sessions), [])
})
