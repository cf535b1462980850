import t from 'tap'
import { createTransport } from '../lib/modes.ts'
import { resolveOptions } from '../lib/options.ts'
import { RandomPool } from '../lib/random.ts'
import { SECRET } from './helpers/app.ts'

const ENVELOPE = {
  id: 'AAAAAAAAAAAAAAAAAAAAAA',
  createdAt: 1_763_640_000,
  stampedAt: 1_763_640_000,
  permanent: false,
  ownerId: undefined,
  json: '{"password":"hunter2"}'
}

t.test('the settings choose what travels: look at the bytes', async (t) => {
  const seal = (encrypt: boolean): string =>
    String(createTransport(resolveOptions({ secret: SECRET, encrypt }), new RandomPool()).seal(ENVELOPE, undefined))
  const readable = (text: string): boolean =>
    text.split('.').some((part) => Buffer.from(part, 'base64url').includes('hunter2'))
  const [signed, encrypted] = [seal(false), seal(true)]
  t.match(signed, /^s1[\w-]{6}1763640000\.[\w-]+\.[\w-]{43}$/)
  t.equal(readable(signed), true)
  t.match(encrypted, /^e1[\w-]{6}1763640000\.[\w-]+$/)
  t.equal(readable(encrypted), false)
})

t.test('a cookie of one mode never opens in the other', async (t) => {
  const [signed, encrypted] = [false, true].map((encrypt) =>
    createTransport(resolveOptions({ secret: SECRET, encrypt }), new RandomPool())
  )
  t.equal(signed?.open(String(encrypted?.seal(ENVELOPE, undefined))), 'malformed')
  t.equal(encrypted?.open(String(signed?.seal(ENVELOPE, undefined))), 'malformed')
})
