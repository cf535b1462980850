import { createHash, randomBytes } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { User } from 'fastify-typed-session/login'
import { findUser } from './users.ts'

/** Whose token it is, by the SHA-256 of the token. A database in your application, which has no token either. */
const owners: Map<string, string> = new Map()

/** Returns a new token, which nobody can show again. */
export function createToken({ id }: User): string {
  const token = `example_${randomBytes(32).toString('base64url')}`
  owners.set(digest(token), id)
  return token
}

/** Who sends a request with a token; null for a token that is not valid, undefined for a header of others. */
export function authenticate({ headers: { authorization = '' } }: FastifyRequest): User | null | undefined {
  const [, token] = /^Bearer (.+)$/i.exec(authorization) ?? []
  if (token === undefined) return undefined
  return findUser(owners.get(digest(token)) ?? '') ?? null
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
