import t from 'tap'
import { FlaskSigner } from '../../lib/flask/signer.ts'
import { signerOf, VECTORS } from './vectors.ts'

const KEY = new TextEncoder().encode(VECTORS.key)

t.test('every vector has the signature that Flask has given it', (t) => {
  for (const { name, cookie, ...options } of VECTORS.valid) {
    const text = cookie.slice(0, cookie.lastIndexOf('.'))
    const isCurrent = options.key === undefined
    t.same(signerOf(options).verify(cookie), { text, isCurrent }, name)
    if (isCurrent) t.equal(signerOf(options).sign(text), cookie, name)
  }
  t.end()
})

t.test('another key, salt or hash function refuses it', (t) => {
  for (const { name, cookie, ...options } of VECTORS.valid) {
    const others = [
      signerOf({ ...options, keys: [new TextEncoder().encode('another key of Flask')] }),
      signerOf({ ...options, salt: 'itsdangerous' }),
      signerOf({ ...options, digest: 'sha384' })
    ]
    for (const other of others) t.equal(other.verify(cookie), undefined, name)
  }
  t.end()
})

t.test('a MAC has one spelling, and a text without one is not signed', (t) => {
  const signer = new FlaskSigner({ keys: [KEY], salt: 's', digest: 'sha1' })
  const signed = signer.sign('text')
  t.same(signer.verify(signed), { text: 'text', isCurrent: true })
  const last = signed.slice(-1)
  const wrong = [
    ...['', '.', 'text', 'text.', `${signed}=`, `${signed} `, signed.slice(0, -1), `${signed}A`, ` ${signed}`],
    // 20 bytes leave two bits to spare in the last of 27 letters.
    ...[...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/é'].flatMap((letter) =>
      letter === last ? [] : [signed.slice(0, -1) + letter]
    )
  ]
  for (const text of wrong) t.equal(signer.verify(text), undefined, text)
  t.end()
})
