import type { FastifyRequest } from 'fastify'
import type { Session, SessionData } from 'fastify-typed-session'
import { getSession, requireSession } from 'fastify-typed-session'
import { same, typed } from '../expect.ts'
import type { UserId } from './augmentation.ts'

declare const request: FastifyRequest
declare const either: 'cart' | 'userId'
const { session } = request

// A key that has a value is there, and the others may be there.
export function one(): void {
  if (session.has('cart')) {
    same<typeof session.cart, Record<string, number>>(true)
    same<typeof session.userId, number | undefined>(true)
    typed<Session>(session)
    session.cart = { tea: 1 }
    session.delete('cart')
  } else {
    same<typeof session, Session>(true)
    session.cart = {}
  }
  same<typeof session, Session>(true)
}
if (session.has('nothing')) same<typeof session.nothing, null>(true)
if (session.has('brand')) typed<UserId>(session.brand)
if (request.session.has('names')) request.session.names.push('Ada')
if (getSession<{ level: number }>(request, 'admin').has('level')) same<SessionData, SessionData>(true)

// After an early return, with several of them, in a condition that has a name.
export function early(): string {
  if (!session.has('userId')) return 'who?'
  return session.userId.toFixed()
}
export function both(): number {
  if (!session.has('userId') || !session.has('visits')) return session.visits ?? 0
  return session.userId + session.visits
}
export function named(): number {
  const isKnown = session.has('userId')
  return isKnown ? session.userId : 0
}
export function orElse(): number {
  return session.has('visits') ? session.visits : 0
}

// Of several names, one of them is there, and nobody knows which.
if (session.has(either)) {
  same<typeof session.cart, Record<string, number> | undefined>(true)
  same<typeof session.userId, number | undefined>(true)
  typed<Session>(session)
} else same<typeof session, Session>(true)
export function generic<Key extends 'cart' | 'userId'>(key: Key): number | undefined {
  if (!session.has(key)) {
    same<typeof session, Session>(true)
    return 0
  }
  typed<Session>(session)
  return session.userId
}
const found = (['cart', 'userId'] as const).filter((key) => session.has(key))
typed<readonly (keyof SessionData)[]>(found)

// Also in a handler that knows more of its session.
requireSession('userId').handle(async ({ session }) => {
  if (!session.has('visits')) return session.userId
  return session.userId + session.visits
})
