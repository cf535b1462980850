import type { FastifyRequest } from 'fastify'
import type { Session, SessionData, SessionSize, SessionValues } from 'fastify-typed-session'
import { same, typed } from '../expect.ts'
import type { Address, Json, Level, Role, Tree, UserId } from './augmentation.ts'

declare const request: FastifyRequest
declare const user: UserId
const { session } = request

// A declared key reads as what was declared, or undefined.
same<typeof session, Session>(true)
same<typeof session, Session<SessionData>>(true)
same<typeof session.userId, number | undefined>(true)
same<typeof session.name, string | undefined>(true)
same<typeof session.cart, Record<string, number> | undefined>(true)
same<typeof session.brand, UserId | undefined>(true)
same<typeof session.role, Role | undefined>(true)
same<typeof session.level, Level | undefined>(true)
same<typeof session.status, 'open' | 'closed' | undefined>(true)
same<typeof session.address, Address | undefined>(true)
same<typeof session.tree, Tree | undefined>(true)
same<typeof session.json, Json | undefined>(true)
same<typeof session.flag, boolean | undefined>(true)
same<typeof session.nothing, null | undefined>(true)
same<typeof session.either, string | { text: string } | null | undefined>(true)
same<typeof session.maybe, number | undefined>(true)
same<typeof session.fixed, readonly string[] | undefined>(true)
same<typeof session.pair, [name: string, age?: number] | undefined>(true)
same<typeof session.rest, readonly [string, ...number[]] | undefined>(true)

// Assigning, nested and not, and taking away.
export function write(): void {
  session.visits = (session.visits ?? 0) + 1
  session.visits = undefined
  delete session.visits
  session.brand = user
  session.cart ??= {}
  session.cart['101'] = 1
  session.names?.push('Ada')
  session.json = { list: [1, null, { deep: ['x'] }] }
  session.tree = { value: 1, children: [{ value: 2, children: [] }] }
  session.pair = ['Ada']
  session.anything = 1
  session.permanent = true
  session.idleTimeout = 30 * 60
  session.idleTimeout = undefined
  session.absoluteTimeout = session.idleTimeout * 2
}

// The methods of a dict.
const got = session.get('visits')
same<typeof got, number | undefined>(true)
const gotOrZero = session.get('visits', 0)
same<typeof gotOrZero, number>(true)
const gotOrNull = session.get('name', null)
same<typeof gotOrNull, string | null>(true)
const price = session.get('cart', {})['101']
same<typeof price, number | undefined>(true)
const names = session.get('names', [])
same<typeof names, string[]>(true)
const role = session.get('status', 'open')
same<typeof role, 'open' | 'closed'>(true)
session.set('visits', 1)
session.set('visits', undefined)
session.set('pinned', 'x')
const has = session.has('visits')
same<typeof has, boolean>(true)
const popped = session.pop('name')
same<typeof popped, string | undefined>(true)
const poppedOr = session.pop('names', [])
same<typeof poppedOr, string[]>(true)
const poppedOrFalse = session.pop('name', false)
same<typeof poppedOrFalse, string | false>(true)
const kept = session.setDefault('cart', { 1: 2 })
same<typeof kept, Record<string, number>>(true)
const deleted = session.delete('visits')
same<typeof deleted, boolean>(true)
same<ReturnType<typeof session.clear>, void>(true)
for (const key of ['visits', 'name'] as const) session.delete(key)

// Copies have the data and no methods.
const data = session.data()
same<typeof data, SessionValues>(true)
same<typeof data.visits, number | undefined>(true)
const spread = { ...session }
same<keyof typeof spread, keyof SessionValues>(true)
same<typeof spread.visits, number | undefined>(true)
typed<SessionValues>(spread)
const { visits, ...others } = session
same<typeof visits, number | undefined>(true)
same<typeof others.name, string | undefined>(true)
same<'visits' extends keyof typeof others ? true : false, false>(true)
same<'renew' extends keyof typeof others ? true : false, false>(true)
typed<string[]>(Object.keys(session))
typed<boolean>('visits' in session)

// One step.
const sum = session.update((draft) => {
  same<typeof draft, SessionValues>(true)
  draft.visits = (draft.visits ?? 0) + 1
  return draft.visits
})
same<typeof sum, Promise<number>>(true)
const later = session.update(async (draft) => draft.name)
same<typeof later, Promise<string | undefined>>(true)
const nothing = session.update((draft) => {
  delete draft.name
})
same<typeof nothing, Promise<void>>(true)

// Life.
same<typeof session.id, string>(true)
same<typeof session.isNew, boolean>(true)
same<typeof session.createdAt, Date>(true)
same<typeof session.expiresAt, Date>(true)
same<typeof session.ownerId, string | undefined>(true)
same<typeof session.permanent, boolean>(true)
same<typeof session.idleTimeout, number>(true)
same<typeof session.absoluteTimeout, number>(true)
same<ReturnType<typeof session.size>, SessionSize>(true)
same<ReturnType<typeof session.renew>, Promise<void>>(true)
same<ReturnType<typeof session.destroy>, Promise<void>>(true)
same<ReturnType<typeof session.reload>, Promise<void>>(true)
same<ReturnType<typeof session.commit>, Promise<void>>(true)
same<ReturnType<typeof session.touch>, void>(true)
same<ReturnType<typeof session.regenerate>, Promise<void>>(true)
session.regenerate(['cart', 'names'])
const keep = ['cart'] as const
session.regenerate(keep)
session.setOwner('user:1')
session.options({ sameSite: 'strict', secure: true })

// Null destroys, and nothing but null or a session can be assigned.
request.session = null
same<FastifyRequest['session'], Session>(true)

// Names of methods, and of what every object has, keep their type whatever the data say.
typed<number | undefined>(session.get('visits'))
same<ReturnType<typeof session.toString>, string>(true)
same<
  Extract<keyof SessionValues, 'get' | 'id' | 'idleTimeout' | 'isNew' | 'permanent' | 'toString' | 'constructor'>,
  never
>(true)
