import type { KeyObject } from 'node:crypto'
import { createCipheriv, createDecipheriv, createSecretKey, randomFillSync } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Account } from '../accounts.ts'
import type { Start } from '../server.ts'
import { handlersOf, serve } from './fastify.ts'
import { COOKIE_NAME, SECRET } from './settings.ts'

const CIPHER = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
const ATTRIBUTES = '; Path=/; HttpOnly; SameSite=Lax'

const key: KeyObject = createSecretKey(Buffer.from(SECRET))
const pool = Buffer.alloc(4096)
let used = pool.length

function nextNonce(): Buffer {
  if (used + NONCE_BYTES > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += NONCE_BYTES
  return pool.subarray(used - NONCE_BYTES, used)
}

function load(request: FastifyRequest): Account | undefined {
  const header = request.headers.cookie ?? ''
  const at = header.indexOf(`${COOKIE_NAME}=`)
  if (at === -1) return undefined
  const end = header.indexOf(';', at)
  const sealed = Buffer.from(header.slice(at + COOKIE_NAME.length + 1, end === -1 ? header.length : end), 'base64url')
  const tagAt = sealed.length - TAG_BYTES
  if (tagAt < NONCE_BYTES) return undefined
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES))
  decipher.setAuthTag(sealed.subarray(tagAt))
  const text = decipher.update(sealed.subarray(NONCE_BYTES, tagAt)).toString('latin1')
  try {
    decipher.final()
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function save(reply: FastifyReply, account: Account): void {
  const nonce = nextNonce()
  const cipher = createCipheriv(CIPHER, key, nonce)
  const body = cipher.update(JSON.stringify(account), 'latin1')
  cipher.final()
  const value = Buffer.concat([nonce, body, cipher.getAuthTag()]).toString('base64url')
  reply.header('set-cookie', `${COOKIE_NAME}=${value}${ATTRIBUTES}`)
}

/**
 * The minimal cost of an encrypted cookie with `node:crypto`: AES-256-GCM, JSON and two headers. No expiry, no key rotation,
 * ASCII only, no change detection, no size limit.
 */
export const start: Start = (accounts) => serve(accounts, async () => {}, handlersOf(load, save))
