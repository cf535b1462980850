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

export function bodyOf({ createdAt, permanent, id, ownerId, extensions, json }: Contents): string {
  const owner = ownerId === null ? '' : encodeURIComponent(ownerId)
  return [String(createdAt).padStart(10, '0'), permanent ? '1' : '0', id, owner, extensions ?? '', json].join('')
}

export function signedCookie(secret: Buffer, cookieName: string, head: string, body: string | Buffer): string {
  const message = `${head}.${Buffer.from(body as string).toString('base64url')}`
  const key = deriveKey(secret, 'signed').toString('hex')
  return `${message}.${createHmac('sha256', key).update(`${cookieName}=${message}`).digest('base64url')}`
}

export function encryptedCookie(secret: Buffer, cookieName: string, head: string, body: string, nonce: Buffer): string {
  const { kx } = xaesSteps(deriveKey(secret, 'encrypted'), nonce)
  const cipher = createCipheriv('aes-256-gcm', kx, nonce.subarray(12)).setAAD(Buffer.from(`${cookieName}=${head}.`))
  const sealed = Buffer.concat([nonce, cipher.update(body), cipher.final(), cipher.getAuthTag()])
  return `${head}.${sealed.toString('base64url')}`
}

/** The steps of https://c2sp.org/XAES-256-GCM under the names that they have there. */
export function xaesSteps(key: Buffer, nonce: Buffer): Record<'l' | 'k1' | 'm1' | 'm2' | 'kx' | 'nx', Buffer> {
  const l = encryptBlock(key, 0n)
  const shifted = toNumber(l) << 1n
  const k1 = shifted >> 128n === 0n ? shifted : (shifted ^ 0x87n) & (2n ** 128n - 1n)
  const half = toNumber(nonce.subarray(0, 12))
  const [m1, m2] = [1n, 2n].map((counter) => (counter << 112n) | (0x58n << 104n) | half) as [bigint, bigint]
  const kx = Buffer.concat([encryptBlock(key, m1 ^ k1), encryptBlock(key, m2 ^ k1)])
  return { l, k1: toBlock(k1), m1: toBlock(m1), m2: toBlock(m2), kx, nx: nonce.subarray(12) }
}

function encryptBlock(key: Buffer, block: bigint): Buffer {
  return createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(toBlock(block))
}

function toNumber(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`)
}

function toBlock(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(32, '0'), 'hex')
}
