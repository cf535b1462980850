import t from 'tap'
import { decodeOwner } from '../../lib/stores/decode-owner.ts'

t.test('an owner comes back from JSON; damage is an error with a code, which does not quote it', async (t) => {
  t.equal(decodeOwner('"ada\\ud800"'), 'ada\ud800')
  for (const json of ['"hunter2', '["hunter2"]', '5', 'null']) {
    const error = t.throws(() => decodeOwner(json), { code: 'ERR_SESSION_UNREADABLE' }) as Error
    t.notMatch(error.message + String(error.cause), 'hunter2')
  }
})
