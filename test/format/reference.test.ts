import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { ReferenceFormat } from '../../lib/format/reference.ts'
import { SignedFormat } from '../../lib/format/signed.ts'
import { ENVELOPE, NOW, OLD_SECRET, SECRET } from './samples.ts'

const ID = 'AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA'

function codecOf(secrets: readonly Buffer[] = [SECRET], cookieName = 'session'): ReferenceFormat {
  return new ReferenceFormat(deriveKeys(secrets, 'reference'), cookieName)
}

t.test('a cookie is the id, stamped and signed, and gives it back', async (t) => {
  const codec = codecOf()
  const text = codec.encode(ID, NOW)
  t.match(text, new RegExp(`^r1[\\w-]{6}${NOW}\\.${ID}\\.[\\w-]{43}$`))
  t.ok(text.startsWith(codec.currentPrefix))
  t.equal(codec.verify(text), undefined)
  t.equal(codec.idOf(text), ID)
})

t.test('no character can be changed, left out or added', async (t) => {
  const codec = codecOf()
  const text = codec.encode(ID, NOW)
  for (let index = 0; index < text.length; index++) {
    const other = text[index] === 'A' ? 'B' : 'A'
    for (const forged of [
      text.slice(0, index) + other + text.slice(index + 1),
      text.slice(0, index) + text.slice(index + 1),
      `${text.slice(0, index)}A${text.slice(index)}`
    ]) {
      if (forged !== text && codec.verify(forged) === undefined) t.fail(`position ${index}`)
    }
  }
  t.type(codec.verify(`${text}A`), 'string')
})

t.test('a cookie of another name, secret or mode does not verify', async (t) => {
  const text = codecOf().encode(ID, NOW)
  t.equal(codecOf([SECRET], 'other').verify(text), 'bad-signature')
  t.equal(codecOf([OLD_SECRET]).verify(text), 'unknown-key')
  t.equal(codecOf([OLD_SECRET, SECRET]).verify(text), undefined, 'an older secret does')
  t.notOk(text.startsWith(codecOf([OLD_SECRET, SECRET]).currentPrefix), 'and is seen')
  const signed = new SignedFormat(deriveKeys([SECRET], 'signed'), 'session')
  t.equal(codecOf().verify(signed.encode(ENVELOPE)), 'malformed')
  t.equal(codecOf().verify(`r1${signed.encode(ENVELOPE).slice(2)}`), 'bad-signature')
  t.equal(signed.decode(text), 'malformed')
})
