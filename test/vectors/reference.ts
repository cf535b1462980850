import { createCipheriv, createHmac } from 'node:crypto'

/**
 * The format of docs/cookie-format.md, written a second time, as plainly as can be and with nothing from lib: what the
 * vectors are made with, so that a mistake in one of the two shows.
 */
export interface Contents {
  readonly id: string
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly permanent: boolean
  readonly ownerId: string | null
  readonly extensions: string | null
  readonly json: string
}

/** HKDF-SHA-256 (RFC 5869) with an empty salt, for one block of output. */
export function deriveKey(secret: Buffer, label: string): Buffer {
  const extracted = createHmac('sha256', Buffer.alloc(32)).update(secret).digest()
  return createHmac('sha256', extracted).update(`fastify-typed-session/2/${label}`).update(Buffer.of(1)).digest()
}

export function keyIdOf(secret: Buffer): string {
  return deriveKey(secret, 'key-id').toString('base64url').slice(0, 6)
}

export function headOf(format: string, secret: Buffer, lastSeenAt: number | string): string {
  return format + keyIdOf(secret) + String(lastSeenAt).padStart(10, '0')
}

/** What stands behind the head of a cookie with this body. */
function headEndOf(body: string | Buffer): '.' | '~' {
  return /^[^{]*:I/.test(body.toString()) ? '~' : '.'
}

export function bodyOf({ createdAt, permanent, id, ownerId, extensions, json }: Contents): string {
  const owner = ownerId === null ? '' : encodeURIComponent(ownerId)
  return [String(createdAt).padStart(10, '0'), permanent ? '1' : '0', id, owner, extensions ?? '', json].join('')
}

export function signedCookie(secret: Buffer, cookieName: string, head: string, body: string | Buffer): string {
  const message = head + headEndOf(body) + Buffer.from(body as string).toString('base64url')
  const key = deriveKey(secret, 'signed').toString('hex')
  return `${message}.${createHmac('sha256', key).update(`${cookieName}=${message}`).digest('base64url')}`
}

export function encryptedCookie(secret: Buffer, cookieName: string, head: string, body: string, nonce: Buffer): string {
  const start = head + headEndOf(body)
  const additional = Buffer.from(`${cookieName}=${start}`)
  const sealed = xchacha20Poly1305(deriveKey(secret, 'encrypted'), nonce, Buffer.from(body), additional)
  return start + Buffer.concat([nonce, sealed]).toString('base64url')
}

/** `member`: its name, as JSON. */
export function sealedMember(secret: Buffer, place: string, member: string, text: string, nonce: Buffer): string {
  const head = `m1${keyIdOf(secret)}.`
  const additional = Buffer.from(`${head}${place}=${member}`)
  const sealed = xchacha20Poly1305(deriveKey(secret, 'member'), nonce, Buffer.from(text), additional)
  return head + Buffer.concat([nonce, sealed]).toString('base64url')
}

/** Section 2 of draft-irtf-cfrg-xchacha-03: ciphertext and tag. */
export function xchacha20Poly1305(key: Buffer, nonce: Buffer, body: Buffer, additional: Buffer): Buffer {
  const subkey = hchacha20(key, nonce.subarray(0, 16))
  const iv = Buffer.concat([Buffer.alloc(4), nonce.subarray(16)])
  const cipher = createCipheriv('chacha20-poly1305', subkey, iv, { authTagLength: 16 })
  cipher.setAAD(additional, { plaintextLength: body.length })
  return Buffer.concat([cipher.update(body), cipher.final(), cipher.getAuthTag()])
}

/** Section 2.2: the key that the first 16 bytes of a nonce lead to. */
export function hchacha20(key: Buffer, nonce: Buffer): Buffer {
  const words = new Uint32Array(16)
  const input = Buffer.concat([Buffer.from('expand 32-byte k'), key, nonce])
  for (let index = 0; index < 16; index++) words[index] = input.readUInt32LE(index * 4)
  for (let round = 0; round < 10; round++) {
    for (const column of [0, 1, 2, 3]) quarterRound(words, column, column + 4, column + 8, column + 12)
    for (const diagonal of [0, 1, 2, 3]) {
      const place = (row: number): number => row * 4 + ((diagonal + row) % 4)
      quarterRound(words, place(0), place(1), place(2), place(3))
    }
  }
  const output = Buffer.alloc(32)
  for (const [index, word] of [...words.subarray(0, 4), ...words.subarray(12)].entries()) {
    output.writeUInt32LE(word, index * 4)
  }
  return output
}

/** RFC 8439, section 2.1. */
function quarterRound(words: Uint32Array, a: number, b: number, c: number, d: number): void {
  const step = (to: number, from: number, target: number, bits: number): void => {
    words[to] = (words[to] as number) + (words[from] as number)
    const mixed = (words[target] as number) ^ (words[to] as number)
    words[target] = (mixed << bits) | (mixed >>> (32 - bits))
  }
  step(a, b, d, 16)
  step(c, d, b, 12)
  step(a, b, d, 8)
  step(c, d, b, 7)
}
