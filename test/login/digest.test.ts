import { createHash } from 'node:crypto'
import t from 'tap'
import { digest } from '../../lib/login/digest.ts'

t.test('the digest of a list of texts', async (t) => {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')
  t.equal(digest('ana'), sha256('3:ana'))
  t.equal(digest('ana', ''), sha256('3:ana0:'))
  t.equal(digest('é', '😀'), sha256('1:é2:😀'))
  t.match(digest(), /^[\w-]{43}$/)
})

t.test('two different lists have different digests', async (t) => {
  const lists = [[], [''], ['', ''], ['ab'], ['a', 'b'], ['b', 'a'], ['', 'ab'], ['ab', ''], ['1:a'], ['a', '1:b']]
  t.equal(new Set(lists.map((texts) => digest(...texts))).size, lists.length)
})
