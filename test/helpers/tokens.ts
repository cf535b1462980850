import type { FastifyRequest } from 'fastify'
import type { LoginOptions, User } from '../../lib/login/index.ts'
import { ANA, BEN } from './login-app.ts'

/** An option `authenticate`, and what it was asked. */
export interface Tokens {
  readonly authenticate: NonNullable<LoginOptions['authenticate']>
  /** The headers that it was asked about. */
  readonly asked: string[]
  /** The users of the tokens. */
  readonly users: Map<string, User>
}

/** Takes `Bearer ana` and `Bearer ben`, fails for `Bearer down`, and leaves alone what is no `Bearer`. */
export function createTokens(): Tokens {
  const asked: string[] = []
  const users = new Map([
    ['ana', ANA],
    ['ben', BEN]
  ])
  return {
    asked,
    users,
    authenticate: async ({ headers: { authorization = '' } }: FastifyRequest) => {
      asked.push(authorization)
      const [, token] = /^Bearer (.*)$/.exec(authorization) ?? []
      if (token === undefined) return undefined
      if (token === 'down') throw Object.assign(new Error('the database of tokens is down'), { statusCode: 503 })
      return users.get(token) ?? null
    }
  }
}

/** The header with a token. */
export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` }
}

/** What a proxy in front of the application asks for, and the browser sends with every request. */
export const OF_PROXY = { authorization: 'Basic c3RhZ2luZzpzdGFnaW5n' }
