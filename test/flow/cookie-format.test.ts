import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { EncryptedFormat } from '../../lib/format/encrypted.ts'
import { ReferenceFormat } from '../../lib/format/reference.ts'
import type { Place } from '../../lib/format/sealed-member.ts'
import { MemberSeal } from '../../lib/format/sealed-member.ts'
import { SignedFormat } from '../../lib/format/signed.ts'
import { CIPHER, givenRandom, readMemberVectors, readVectors } from '../format/samples.ts'
import { bodyOf, deriveKey, hchacha20, headOf, keyIdOf, sealedMember, xchacha20Poly1305 } from '../vectors/reference.ts'

const PAGE = readFileSync(new URL('../../docs/cookie-format.md', import.meta.url), 'utf8')
const SECRET = Buffer.from('vectors only: 4b1f0e7a9c6d28355d0c')
const NONCE = Buffer.from('00070e151c232a31383f464d545b626970777e858c939aa1', 'hex')
const CREATED = Date.parse('2026-11-20T11:00:00Z') / 1000
const STAMP = Date.parse('2026-11-20T11:59:30Z') / 1000
const CONTENTS = {
  id: Buffer.from('0102030405060708090a0b0c0d0e0f10', 'hex').toString('base64url'),
  createdAt: CREATED,
  lastSeenAt: STAMP,
  permanent: false,
  ownerId: null,
  extensions: null,
  json: '{"visits":1}'
}
const RECORD = { ...CONTENTS, ownerId: undefined, extensions: undefined }

function hex(bytes: Buffer): string {
  return bytes.toString('hex')
}

/** The lines of the worked example under a heading, as they would be if they were written now. */
function compute(): string[] {
  const body = bodyOf(CONTENTS)

  const head = headOf('s2', SECRET, STAMP)
  const key = hex(deriveKey(SECRET, 'signed'))
  const message = `${head}.${Buffer.from(body).toString('base64url')}`
  const mac = createHmac('sha256', key).update(`session=${message}`).digest()

  const encryptedHead = headOf('e2', SECRET, STAMP)
  const additional = `session=${encryptedHead}.`
  const encryptedKey = deriveKey(SECRET, 'encrypted')
  const ciphertext = xchacha20Poly1305(encryptedKey, NONCE, Buffer.from(body), Buffer.from(additional))
  const sealed = Buffer.concat([NONCE, ciphertext])

  const blocks = [
    {
      secret: SECRET.toString(),
      'id bytes': hex(Buffer.from(CONTENTS.id, 'base64url')),
      createdAt: '2026-11-20T11:00:00Z',
      lastSeenAt: '2026-11-20T11:59:30Z',
      permanent: 'no',
      owner: 'none',
      extensions: 'none',
      'key-id output': hex(deriveKey(SECRET, 'key-id')),
      'key id': keyIdOf(SECRET),
      body
    },
    {
      head,
      key,
      message,
      'MAC input': `session=${message}`,
      MAC: hex(mac),
      cookie: `${message}.${mac.toString('base64url')}`
    },
    {
      head: encryptedHead,
      key: hex(encryptedKey),
      nonce: hex(NONCE),
      HChaCha20: hex(hchacha20(encryptedKey, NONCE.subarray(0, 16))),
      'ChaCha20 nonce': hex(Buffer.concat([Buffer.alloc(4), NONCE.subarray(16)])),
      additional,
      ciphertext: hex(ciphertext.subarray(0, -16)),
      tag: hex(ciphertext.subarray(-16)),
      cookie: `${encryptedHead}.${sealed.toString('base64url')}`
    }
  ]
  return blocks.flatMap((block) => Object.entries(block).map(([label, value]) => label.padEnd(18) + value))
}

t.test('every line of the worked example is what comes out of the steps', (t) => {
  const example = PAGE.slice(PAGE.indexOf('## Worked example'), PAGE.indexOf('## Test vectors'))
  const written = [...example.matchAll(/```\n([^`]*)```/g)].flatMap(([, block]) => block?.split('\n') ?? [])
  t.same(
    written.filter((line) => line !== ''),
    compute()
  )
  t.end()
})

t.test('the worked example is what the library writes, and the first vector of each mode', (t) => {
  const example = PAGE.slice(PAGE.indexOf('## Worked example'))
  const [signed, encrypted] = [...example.matchAll(/^cookie {12}(\S+)$/gm)].map(([, cookie]) => cookie)
  t.equal(new SignedFormat(deriveKeys([SECRET], 'signed'), 'session').encode(RECORD), signed)
  const format = new EncryptedFormat(deriveKeys([SECRET], 'encrypted'), 'session', givenRandom(NONCE), CIPHER)
  t.equal(format.encode(RECORD), encrypted)
  t.equal(readVectors('signed').valid[0]?.cookie, signed)
  t.equal(readVectors('encrypted').valid[0]?.cookie, encrypted)
  t.end()
})

t.test('every line of the example of a reference is what comes out of the steps, and what the library writes', (t) => {
  const section = PAGE.slice(PAGE.indexOf('## References'), PAGE.indexOf('### What remembers a login'))
  const [, written] = [...section.matchAll(/```\n([^`]*)```/g)].at(-1) as RegExpMatchArray
  const idBytes = Buffer.from(Array.from({ length: 32 }, (_, index) => index + 1))
  const id = idBytes.toString('base64url')
  const key = hex(deriveKey(SECRET, 'reference'))
  const message = `${headOf('r2', SECRET, STAMP)}.${id}`
  const cookie = `${message}.${createHmac('sha256', key).update(`session=${message}`).digest('base64url')}`
  const lines = {
    'id bytes': hex(idBytes),
    key,
    message,
    cookie,
    'store key': createHash('sha256').update(id).digest('base64url')
  }
  t.equal(cookie.length, 106)
  t.equal(
    written,
    Object.entries(lines)
      .map(([label, value]) => `${label.padEnd(18)}${value}\n`)
      .join('')
  )
  t.equal(new ReferenceFormat(deriveKeys([SECRET], 'reference'), 'session').encode(id, STAMP), cookie)
  t.end()
})

t.test('every line of the example of a value in a store is what comes out of the steps, and the first vector', (t) => {
  const section = PAGE.slice(PAGE.indexOf('## Values in a store'), PAGE.indexOf('## Reading a cookie'))
  const [, written] = [...section.matchAll(/```\n([^`]*)```/g)].at(-1) as RegExpMatchArray
  const place = 'data:658WgAyQKf_KhWlXY9I8Os5xARz0DpNUrNgQIF4lD4c'
  const value = sealedMember(SECRET, place, '"visits"', '1234', NONCE)
  const lines = {
    key: hex(deriveKey(SECRET, 'member')),
    nonce: hex(NONCE),
    additional: `m1${keyIdOf(SECRET)}.${place}="visits"`,
    plaintext: '1234',
    value
  }
  t.equal(
    written,
    Object.entries(lines)
      .map(([label, value]) => `${label.padEnd(18)}${value}\n`)
      .join('')
  )
  t.equal(
    new MemberSeal(deriveKeys([SECRET], 'member'), givenRandom(NONCE), CIPHER).seal(place as Place, 'visits', '1234'),
    value
  )
  t.equal(readMemberVectors().valid[0]?.value, value)
  t.end()
})

t.test('the page counts the vectors right and names every reason that they have', (t) => {
  for (const mode of ['signed', 'encrypted'] as const) {
    const { valid, invalid } = readVectors(mode)
    t.equal(valid.length, 23)
    t.ok(invalid.length > 80)
    const reasons = new Set(invalid.map(({ reason }) => reason))
    t.equal(reasons.size, 7)
    for (const reason of reasons) t.match(PAGE, new RegExp(`\\| \`${reason}\` +\\|`), reason)
  }
  t.end()
})

t.test('the reader in Python has at most 200 lines and imports nothing but the standard library', (t) => {
  const lines = readFileSync(new URL('../read-cookie.py', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
  t.ok(lines.length <= 200, `${lines.length} lines`)
  const imports = lines.filter((line) => /^(import|from) /.test(line))
  t.same(
    imports,
    ['base64', 'hashlib', 'hmac', 'json', 're', 'struct', 'sys', 'urllib.parse'].map((name) => `import ${name}`)
  )
  t.end()
})
