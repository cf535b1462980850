import t from 'tap'
import { isSession, NO_SESSION } from '../../lib/data/no-session.ts'
import { refuseExtensions } from '../../lib/format/extensions.ts'

t.test('a record with the mark alone is no session', async (t) => {
  t.equal(isSession({ extensions: NO_SESSION }), false)
  for (const extensions of [undefined, '', ':v3', `${NO_SESSION}1`, `${NO_SESSION}:v3`]) {
    t.equal(isSession({ extensions }), true)
  }
})

t.test('no id opens a record with the mark', async (t) => {
  t.equal(NO_SESSION, ':N')
  t.equal(refuseExtensions(NO_SESSION), 'unsupported')
})
