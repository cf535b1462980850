import { randomBytes, randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { PLACEHOLDER_WORDS, weaknessOf } from '../../lib/crypto/weak-secret.ts'
import { readVectors } from '../format/samples.ts'
import { secretBytes } from '../vectors/generate.ts'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const HEX = '0123456789abcdef'
const BASE64URL = `${LETTERS.toUpperCase()}${LETTERS}0123456789-_`
const BYTES = String.fromCharCode(...Array(256).keys())
const PRINTABLE = BYTES.slice(0x20, 0x7f)
const COUNTING = Uint8Array.from(Array(32).keys())

/** What random secrets are written with, and in how many characters. */
const RANDOM: readonly (readonly [characters: string, length: number])[] = [
  [BYTES, 32],
  [HEX, 64],
  [HEX, 32],
  [BASE64URL, 43],
  [BASE64URL.slice(0, 62), 32],
  [PRINTABLE, 32]
]

const reasonOf = (secret: string | Uint8Array): string | undefined => weaknessOf(Buffer.from(secret))

t.test('a secret of few different bytes is refused', async (t) => {
  for (const [secret, variety] of [
    ['a'.repeat(64), 1],
    [new Uint8Array(64), 1],
    ['01'.repeat(16), 2],
    ['001122'.repeat(6), 3],
    ['passwordpasswordpasswordpassword', 7],
    ['gabcdefcafebadgcebadfgecfbagdcef', 7],
    [`${'0123456'.repeat(9)}0`, 7]
  ] as const) {
    t.match(reasonOf(secret), new RegExp(`^has only ${variety} different bytes; a random key has far more$`))
  }
  t.equal(reasonOf('07c1c70d17c0d7dc10c7d1070cd1c7d0'), undefined, 'five of the 16 digits: chance, in a short key')
})

t.test('one piece that is repeated, whole or cut off at the end', async (t) => {
  for (const secret of [
    '12345678901234567890123456789012',
    '0123456789abcdef0123456789abcdef',
    'abcdefghabcdefghabcdefghabcdefgh',
    'thisisasecretthisisasecretthisisa',
    'password1234password1234password',
    'q7Zs0vD2mK9xT4bNq7Zs0vD2mK9xT4bN',
    randomBytes(16).toString('hex').repeat(2),
    Buffer.from(new Uint8Array(40).fill(7).map((byte, index) => byte * (index % 8)))
  ]) {
    t.equal(reasonOf(secret), 'is one piece, repeated', String(secret))
  }
  t.equal(reasonOf('q7Zs0vD2mK9xT4bN8q7Zs0vD2mK9xT4bN'), undefined, 'a piece of more than half')
  t.equal(reasonOf('q7Zs0vD2mK9xT4bNq7Zs0vD2mK9xT4b8'), undefined, 'another end')
})

t.test('sequences, forwards and backwards, by code and by keyboard, in any spelling', async (t) => {
  for (const secret of [
    'abcdefghijklmnopqrstuvwxyz123456',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345',
    'zyxwvutsrqponmlkjihgfedcba9876543210',
    'abcdefghijklmnopponmlkjihgfedcba',
    '01234567890123456789abcdefghijkl',
    '00112233445566778899aabbccddeeff',
    'aaaabbbbccccddddeeeeffffgggghhhh',
    'qwertyuiopasdfghjklzxcvbnm123456',
    'QWERTYUIOPasdfghjklZXCVBNM123456',
    'poiuytrewqlkjhgfdsamnbvcxz098765',
    COUNTING,
    COUNTING.map((byte) => 255 - 3 * byte),
    Buffer.from(COUNTING).toString('hex'),
    Buffer.from(COUNTING).toString('base64'),
    Buffer.from(COUNTING).toString('base64url')
  ]) {
    t.match(reasonOf(secret), /^is a sequence/, String(secret))
  }
  t.equal(reasonOf('k9s8d7f6g5h4j3k2l1qazwsxedcrfvtgbyhnujm'), undefined)
})

t.test('placeholders', async (t) => {
  for (const secret of [
    'super-secret-key-at-least-32-chars',
    'my-super-secret-session-key-12345',
    'averylongsecretthatisatleast32chars',
    'a-very-long-secret-key-of-32-characters!',
    'changeme-changeme-changeme-12345',
    'CHANGE-ME-CHANGE-ME-CHANGE-ME-CHANGE-ME-CHANGE-ME!',
    'your-secret-key-must-be-32-characters',
    'replace-this-with-a-secure-secret!!',
    'keyboard cat keyboard cat keyboard cat!',
    'a secret with minimum length of 32 characters',
    'A-Very-Long-Phrase-Bigger-Than-Thirty-Two-Chars',
    'complex_password_at_least_32_characters_long',
    'secret1secret2secret3secret4secret5',
    Buffer.from('change-me-change-me-please-now').toString('base64'),
    Buffer.from('change-me-change-me-please-now').toString('hex')
  ]) {
    t.match(reasonOf(secret), /^is made of words/, secret)
  }
  for (const secret of [
    'a secret with minimum length of 32 characters and more of our own',
    'change-me-93d1a07bfa2c-change-me',
    'correct horse battery staple 0123456789'
  ]) {
    t.equal(reasonOf(secret), undefined, secret)
  }
})

t.test('secrets that everybody can look up, those of this package among them', async (t) => {
  for (const secret of ['averylogphrasebiggerthanthirtytwochars', 'Correct horse, battery staple: correct!']) {
    t.match(reasonOf(secret), 'is a sample from some documentation, known to everyone')
  }
  const [, onPage = ''] =
    /^secret +(.+)$/m.exec(readFileSync(new URL('../../docs/cookie-format.md', import.meta.url), 'utf8')) ?? []
  t.match(reasonOf(onPage), 'is a sample')
  for (const mode of ['signed', 'encrypted'] as const) {
    const { valid, invalid } = readVectors(mode)
    const secrets = [...valid, ...invalid].flatMap((vector) => vector.secrets)
    t.ok(secrets.length > 0)
    t.same(
      secrets.filter((secret) => reasonOf(secretBytes(secret)) === undefined),
      []
    )
  }
})

t.test('what can be guessed among 16 to 31 characters, which other frameworks accept', async (t) => {
  for (const [secret, reason] of [
    ['super secret key', /^is made of words/],
    ['your-secret-key-here', /^is made of words/],
    ['change-me-please!', /^is made of words/],
    ['aaaaaaaaaaaaaaaa', /^is one piece, repeated/],
    ['passwordpassword', /^is one piece, repeated/],
    ['1234567890123456', /^is a sequence|^is one piece/],
    [COUNTING.subarray(0, 16), /^is a sequence/]
  ] as const) {
    t.match(reasonOf(secret), reason, String(secret))
  }
  for (const secret of ['_5#y2L"F4Q8z-xec', 'correct horse st', randomBytes(8).toString('hex'), randomBytes(16)]) {
    t.equal(reasonOf(secret), undefined, String(secret))
  }
})

t.test('random secrets are accepted', async (t) => {
  for (const [characters, length] of RANDOM) {
    for (let sample = 0; sample < 15_000; sample++) {
      const codes = Array.from({ length }, () => characters.charCodeAt(randomInt(characters.length)))
      const weakness = weaknessOf(Uint8Array.from(codes))
      if (weakness !== undefined) t.fail(`${weakness}: ${codes}`)
    }
    t.pass(`${length} of ${characters.length} characters`)
  }
})

t.test('no rule refuses a short one more than once in 2^30', async (t) => {
  for (const [characters, n] of [
    [HEX, 16],
    [BYTES, 16],
    [BASE64URL, 16],
    [LETTERS, 16]
  ] as const) {
    const m = characters.length
    t.ok(1 - (n / 2) * Math.log2(m) < -30, `repetition: ${n} of ${m}`)
    const breaks = Math.floor(n / 8)
    const chance = 1 + log2Choose(n, breaks) + (n - 1 - breaks) * Math.log2((m > 51 ? 4 : 2) / m)
    t.ok(chance < -30, `sequence: ${n} of ${m}: ${chance}`)
    if (m !== 16) t.ok(log2OfChains(characters, n) < -30, `words: ${n} of ${m}: ${log2OfChains(characters, n)}`)
  }
})

t.test('no rule refuses a random secret more than once in 2^60', async (t) => {
  for (const [characters, n] of RANDOM) {
    const m = characters.length
    const named = `${n} of ${m} characters`
    const few = m === 16 && n < 64 ? 3 : 7
    t.ok(log2Choose(m, few) + n * Math.log2(few / m) < -60, `variety: ${named}`)
    t.ok(1 - (n / 2) * Math.log2(m) < -60, `repetition: ${named}`)
    // A hexadecimal text stands for bytes. Letters of both cases share their place on the keyboard.
    for (const [length, size] of m === 16
      ? [
          [n, 16],
          [n / 2, 256]
        ]
      : ([[n, m]] as const)) {
      const breaks = Math.floor(Number(length) / 8)
      const continuing = Number(size) > 51 ? 4 : 2
      const left = Number(length) - 1 - breaks
      const chance = 1 + log2Choose(Number(length), breaks) + left * Math.log2(continuing / Number(size))
      t.ok(chance < -60, `sequence: ${named}: ${chance}`)
    }
    if (m !== 16) t.ok(log2OfChains(characters, n) < -60, `words: ${named}: ${log2OfChains(characters, n)}`)
  }
  for (const [characters, n] of [
    [BYTES, 24],
    [LETTERS, 32],
    [`${LETTERS}234567`, 32],
    [`${LETTERS}0123456789`, 32]
  ] as const) {
    t.ok(log2OfChains(characters, n) < -60, `words: ${n} of ${characters.length}: ${log2OfChains(characters, n)}`)
  }
})

function log2Choose(n: number, k: number): number {
  let sum = 0
  for (let index = 0; index < k; index++) sum += Math.log2((n - index) / (index + 1))
  return sum
}

/** The base-2 logarithm of the chance that `n` random characters are a chain of words with a third of others at most. */
function log2OfChains(characters: string, n: number): number {
  const chanceOf = (accepts: (character: string) => boolean): number =>
    [...characters].filter(accepts).length / characters.length
  const other = chanceOf((character) => !/[a-z]/i.test(character))
  const likelihoodOf = (word: string): number =>
    [...word].reduce((chance, letter) => chance * chanceOf((character) => character.toLowerCase() === letter), 1)
  const words = PLACEHOLDER_WORDS.map((word) => [word, likelihoodOf(word)] as const)
  const most = Math.floor(n / 3)
  // The expected number of chains of each length with each number of others. It is not less than the chance of one.
  const chains = Array.from({ length: n + 1 }, () => new Float64Array(most + 1))
  const add = (length: number, others: number, chance: number): void => {
    const row = chains[length]
    if (row !== undefined && others <= most) row[others] = (row[others] ?? 0) + chance
  }
  add(0, 0, 1)
  for (const [length, row] of chains.entries()) {
    for (const [others, chance] of row.entries()) {
      add(length + 1, others + 1, chance * other)
      for (const [word, likely] of words) add(length + word.length, others, chance * likely)
    }
  }
  return Math.log2((chains[n] ?? new Float64Array()).reduce((sum, chance) => sum + chance, 0))
}
