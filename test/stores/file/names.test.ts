import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import {
  fanOut,
  hashOwner,
  isFanOut,
  isFileName,
  isKey,
  isOwnerHash,
  toFileName,
  toKey
} from '../../../lib/stores/file/names.ts'

t.test('a key is 43 characters of base64url', async (t) => {
  t.ok(isKey('a'.repeat(43)))
  t.ok(isKey(randomBytes(32).toString('base64url')))
  for (const other of [
    '',
    'a'.repeat(42),
    'a'.repeat(44),
    `${'a'.repeat(43)}\n`,
    `../${'a'.repeat(40)}`,
    'ä'.repeat(43)
  ]) {
    t.notOk(isKey(other), JSON.stringify(other))
  }
})

t.test('a key and its file name are one to one', async (t) => {
  t.equal(toFileName('A'.repeat(43)), '0'.repeat(66))
  t.equal(toFileName(`${'A'.repeat(42)}_`), `${'0'.repeat(62)}0fc0`)
  const last = Array.from('ABCDEFGHabcdefgh01234567-_', (character) => `${'x'.repeat(42)}${character}`)
  const keys = [...last, ...Array.from({ length: 100 }, () => randomBytes(32).toString('base64url'))]
  t.same(
    keys.map((key) => toKey(toFileName(key))),
    keys
  )
  t.equal(new Set(keys.map((key) => toFileName(key).toLowerCase())).size, keys.length, 'whatever upper and lower case')
  t.ok(keys.map(toFileName).every(isFileName))
})

t.test('other names are not taken for those of sessions and owners', async (t) => {
  for (const name of ['.DS_Store', '0'.repeat(65), `${'0'.repeat(65)}1`, `${'G'.repeat(65)}0`])
    t.notOk(isFileName(name), name)
  for (const name of ['.DS_Store', '0'.repeat(63), '0'.repeat(66), 'G'.repeat(64)]) t.notOk(isOwnerHash(name), name)
  for (const name of ['.DS_Store', '0', '000', 'gg']) t.notOk(isFanOut(name), name)
})

t.test('an owner is a hash of the id, and two ids are two', async (t) => {
  t.equal(hashOwner('ada'), createHash('sha256').update('"ada"').digest('hex'))
  t.ok(isOwnerHash(hashOwner('../etc/passwd')))
  t.not(hashOwner('\ud800'), hashOwner('\ud801'), 'also where UTF-8 would make them one')
})

t.test('names spread over 256 directories', async (t) => {
  t.equal(fanOut('sessions', 'abcdef'), join('sessions', 'ab', 'abcdef'))
  t.ok(isFanOut('ab'))
})
