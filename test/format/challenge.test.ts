import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { RandomPool } from '../../lib/crypto/random.ts'
import { ChallengeFormat } from '../../lib/format/challenge.ts'

const SECRET = Buffer.from('correct horse battery staple 0123456789')
const OTHER = Buffer.from('an old key that signed cookies last year')
const ID = 'AQIDBAUGBwgJCgsMDQ4PEA'
const AT = 1_763_640_000

const formatOf = (secret: Buffer, name = 'session-device'): ChallengeFormat =>
  new ChallengeFormat(deriveKeys([secret], 'device-challenge'), name, new RandomPool())

const format = formatOf(SECRET)
const text = format.encode('refresh', ID, AT)

t.test('a challenge has 74 characters, no id, and is another one each time', async (t) => {
  t.match(text, /^c1ikA4zO1763640000\.[\w-]{11}\.[\w-]{43}$/)
  t.equal(format.decode(text, 'refresh', ID), AT)
  t.not(format.encode('refresh', ID, AT), text)
})

t.test('it is good for its purpose, session, name and secret, and for no other', async (t) => {
  t.equal(format.decode(text, 'register', ID), undefined)
  t.equal(format.decode(format.encode('register', ID, AT), 'refresh', ID), undefined)
  t.equal(format.decode(text, 'refresh', `${ID}A`), undefined)
  t.equal(formatOf(SECRET, 'other').decode(text, 'refresh', ID), undefined)
  t.equal(formatOf(OTHER).decode(text, 'refresh', ID), undefined)
})

t.test('any other text is no challenge', async (t) => {
  for (let at = 0; at < text.length; at++) {
    const other = text[at] === 'A' ? 'B' : 'A'
    t.equal(format.decode(text.slice(0, at) + other + text.slice(at + 1), 'refresh', ID), undefined, String(at))
  }
  for (const other of ['', 'c1', text.slice(1), `${text} `]) t.equal(format.decode(other, 'refresh', ID), undefined)
})
