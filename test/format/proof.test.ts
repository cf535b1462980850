import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { ProofFormat } from '../../lib/format/proof.ts'

const OLD = Buffer.from('an old key that signed cookies last year')
const NEW = Buffer.from('correct horse battery staple 0123456789')
const ID = 'AQIDBAUGBwgJCgsMDQ4PEA'
const PROOF = { provedAt: 1_763_640_000, expiresAt: 1_763_640_660, key: '' }
const WITH_KEY = { ...PROOF, key: `E${'A'.repeat(86)}` }

const formatOf = (secrets: Buffer[], name = 'session-device'): ProofFormat =>
  new ProofFormat(deriveKeys(secrets, 'device-proof'), name)

const format = formatOf([NEW])
const text = format.encode(PROOF, ID)

t.test('a proof has 73 characters, and no id', async (t) => {
  t.match(text, /^d1ikA4zO1763640000\.1763640660\.[\w-]{43}$/)
  t.equal(text.length, 73)
  t.same(format.decode(text, ID), PROOF)
  const long = format.encode(WITH_KEY, ID)
  t.match(long, /^d1ikA4zO1763640000\.1763640660EA{86}\.[\w-]{43}$/)
  t.same(format.decode(long, ID), WITH_KEY)
})

t.test('it is good for its session, name and secret, and for no other', async (t) => {
  t.equal(format.decode(text, 'AQIDBAUGBwgJCgsMDQ4PEB'), undefined)
  t.equal(format.decode(text, ''), undefined)
  t.equal(formatOf([NEW], 'other-device').decode(text, ID), undefined)
  t.equal(formatOf([OLD]).decode(text, ID), undefined)
  t.same(formatOf([OLD, NEW]).decode(text, ID), PROOF, 'an older secret is fine')
})

t.test('any other text is no proof', async (t) => {
  for (let at = 0; at < text.length; at++) {
    const other = text[at] === 'A' ? 'B' : 'A'
    t.equal(format.decode(text.slice(0, at) + other + text.slice(at + 1), ID), undefined, String(at))
  }
  const withId = `${text.slice(0, 29)}.${ID}${text.slice(29)}`
  for (const other of ['', 'd1', text.slice(1), `${text} `, text.slice(20), withId, text.replace('.', `.${ID}`)]) {
    t.equal(format.decode(other, ID), undefined)
  }
})
