import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { ReferenceFormat } from '../../lib/format/reference.ts'
import { SignedFormat } from '../../lib/format/signed.ts'
import { NOW, OLD_SECRET, RECORD, SECRET } from './samples.ts'

const ID = 'AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA'

function formatOf(secrets: readonly Buffer[] = [SECRET], cookieName = 'session'): ReferenceFormat {
  return new ReferenceFormat(deriveKeys(secrets, 'reference'), cookieName)
}

t.test('a cookie is the id, stamped and signed, and gives it back', async (t) => {
  const format = formatOf()
  const text = format.encode(ID, NOW)
  t.match(text, new RegExp(`^r2[\\w-]{6}${NOW}\\.${ID}\\.[\\w-]{43}$`))
  t.ok(text.startsWith(format.currentPrefix))
  t.equal(format.verify(text), undefined)
  t.equal(format.idOf(text), ID)
})

t.test('extensions stand behind the id, and cost nothing where there are none', async (t) => {
  const format = formatOf()
  const text = format.encode(ID, NOW, ':v3:wA-_9')
  t.equal(text.split('.')[1], `${ID}:v3:wA-_9`)
  t.match(text, /^[\w.:-]+$/, 'no character that a Cookie header changes')
  t.equal(format.verify(text), undefined)
  t.equal(format.idOf(text), ID)
  t.equal(format.extensionsOf(text, ID), ':v3:wA-_9')
  t.equal(format.encode(ID, NOW, undefined), format.encode(ID, NOW))
  t.equal(format.extensionsOf(format.encode(ID, NOW), ID), undefined)
})

t.test('extensions that nobody writes are malformed, critical ones that nobody knows unsupported', async (t) => {
  const format = formatOf()
  for (const extensions of [':', '::v3', ':v03', ':w:v3', ':v3:', ':v3.']) {
    t.equal(format.verify(format.encode(ID, NOW, extensions)), 'malformed', extensions)
  }
  t.equal(format.verify(format.encode(ID, NOW, ':X')), 'unsupported')
  t.equal(format.verify(formatOf([SECRET], 'other').encode(ID, NOW, ':X')), 'bad-signature', 'the seal comes first')
})

t.test('no character can be changed, left out or added', async (t) => {
  const format = formatOf()
  const text = format.encode(ID, NOW)
  for (let index = 0; index < text.length; index++) {
    const other = text[index] === 'A' ? 'B' : 'A'
    for (const forged of [
      text.slice(0, index) + other + text.slice(index + 1),
      text.slice(0, index) + text.slice(index + 1),
      `${text.slice(0, index)}A${text.slice(index)}`
    ]) {
      if (forged !== text && format.verify(forged) === undefined) t.fail(`position ${index}`)
    }
  }
  t.type(format.verify(`${text}A`), 'string')
})

t.test('a cookie of another name, secret or mode does not verify', async (t) => {
  const text = formatOf().encode(ID, NOW)
  t.equal(formatOf([SECRET], 'other').verify(text), 'bad-signature')
  t.equal(formatOf([OLD_SECRET]).verify(text), 'unknown-key')
  t.equal(formatOf([OLD_SECRET, SECRET]).verify(text), undefined, 'an older secret does')
  t.notOk(text.startsWith(formatOf([OLD_SECRET, SECRET]).currentPrefix), 'and is seen')
  const signed = new SignedFormat(deriveKeys([SECRET], 'signed'), 'session')
  t.equal(formatOf().verify(signed.encode(RECORD)), 'malformed')
  t.equal(formatOf().verify(`r2${signed.encode(RECORD).slice(2)}`), 'bad-signature')
  t.equal(signed.decode(text), 'malformed')
})
