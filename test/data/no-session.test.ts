import t from 'tap'
import { createNote, isSession, NO_SESSION } from '../../lib/data/no-session.ts'
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

t.test('a note is no session, and belongs to nobody', async (t) => {
  t.notOk(isSession(createNote(5)))
  t.match(createNote(5), { json: '{}', createdAt: 5, lastSeenAt: 5, permanent: false, ownerId: undefined })
  t.equal(createNote(5, '{"a":true}').json, '{"a":true}')
})
