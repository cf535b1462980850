import { inspect } from 'node:util'
import t from 'tap'
import { assertOwnerId } from '../../lib/owners/owner-id.ts'

t.test('the id of an owner is a string of 1 to 255 characters, of any that UTF-8 has but NUL', (t) => {
  for (const id of ['7', ' ', 'ana', 'x'.repeat(255), 'ünï@example.com', '\u{1f600}', '\x01', '__proto__']) {
    t.doesNotThrow(() => assertOwnerId(id, 'list()'), inspect(id))
  }
  t.end()
})

t.test('anything else is refused, with what it is and not with what is in it', (t) => {
  const wrong: [id: unknown, shown: string][] = [
    ['', 'a string of 0 characters'],
    ['hunter2'.repeat(50), 'a string of 350 characters'],
    ['x'.repeat(256), 'a string of 256 characters'],
    ['\ud800', 'a string of 1 characters'],
    ['a\udc00b', 'a string of 3 characters'],
    ['\0', 'a string of 1 characters'],
    ['a\0b', 'a string of 3 characters'],
    [undefined, 'undefined'],
    [null, 'null'],
    [7, 'a number'],
    [7n, 'a bigint'],
    [true, 'a boolean'],
    [{ hash: 'hunter2' }, 'a object'],
    [['ana'], 'a object']
  ]
  for (const [id, shown] of wrong) {
    t.throws(() => assertOwnerId(id, 'list()'), {
      code: 'ERR_SESSION_VALUE',
      message: `list() takes the id of a user as a string of 1 to 255 characters; it got ${shown}. Convert numbers with String(id).`
    })
  }
  t.throws(() => assertOwnerId(7, 'session.setOwner()'), { message: /^session\.setOwner\(\) takes / })
  t.end()
})
