import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Account } from '../accounts.ts'
import type { Start } from './fastify.ts'
import { create } from './fastify.ts'
import { COOKIE_NAME, SECRET } from './settings.ts'

const IDLE_SECONDS = 86_400
const STAMP_DIGITS = 10
const MAC_CHARACTERS = 43
const PREFIX = `${COOKIE_NAME}=`
const ATTRIBUTES = '; Path=/; HttpOnly; SameSite=Lax'

const pad = (byte: number): string =>
  String.fromCharCode(...Array.from(SECRET.padEnd(64, '\0'), (character) => character.charCodeAt(0) ^ byte))
const [inner, outer] = [pad(0x36), pad(0x5c)]
const scratch: Buffer = Buffer.allocUnsafe(4096)
const now = (): number => Math.floor(Date.now() / 1000)

/** HMAC, except that the first digest goes into the second as text: two hashes, and no Buffer. */
const macOf = (message: string): string => hash('sha256', outer + hash('sha256', inner + message, 'hex'), 'base64url')

/** Returns the data of the cookie: `stamp base64url(JSON) mac`, without separators. Empty if it is not genuine, or too old. */
function load({ headers: { cookie = '' } }: FastifyRequest): Partial<Account> {
  const at = cookie.indexOf(PREFIX)
  if (at === -1) return {}
  const from = at + PREFIX.length
  const semicolon = cookie.indexOf(';', from)
  const macAt = (semicolon === -1 ? cookie.length : semicolon) - MAC_CHARACTERS
  const mac = macOf(cookie.slice(from, macAt))
  // In a time that does not depend on where they differ.
  let difference = 0
  for (let index = 0; index < MAC_CHARACTERS; index++) {
    difference |= mac.charCodeAt(index) ^ cookie.charCodeAt(macAt + index)
  }
  if (difference !== 0 || Number(cookie.slice(from, from + STAMP_DIGITS)) + IDLE_SECONDS < now()) return {}
  const bytes = scratch.write(cookie.slice(from + STAMP_DIGITS, macAt), 'base64url')
  return JSON.parse(scratch.toString('utf8', 0, bytes))
}

function save(reply: FastifyReply, account: Partial<Account>): void {
  const bytes = scratch.write(JSON.stringify(account))
  const message = now() + scratch.toString('base64url', 0, bytes)
  reply.header('set-cookie', PREFIX + message + macOf(message) + ATTRIBUTES)
}

/**
 * The least that a session in a signed cookie can do, by hand: verify, judge the age, parse, stringify, sign, and one header, when
 * the handler says so. It sees no change by itself, rotates no key, knows no limit. What a library costs above it is what it does
 * more.
 */
export const start: Start = (circumstances) =>
  create(circumstances, async () => {}, {
    async logIn(_request, reply, { profile, visits }) {
      save(reply, { profile, visits })
      return profile.name
    },
    read: async (request) => load(request).profile?.name ?? '',
    async write(request, reply) {
      const account = load(request)
      if (account.visits !== undefined) account.visits++
      save(reply, account)
      return account.profile?.name ?? ''
    },
    show: async (request) => load(request)
  })
