import { isDeepStrictEqual } from 'node:util'
import { InvalidValueError, unreadableError } from '../errors.ts'
import type { MemberChanges } from './json-members.ts'
import { applyChanges } from './json-members.ts'

const MAX_DEPTH = 200

// An old library may have added an enumerable member to `Object.prototype`, which `for … in` visits. `Object.keys` makes an array.
const hasOwn = Object.prototype.hasOwnProperty

const isEnumerable = Object.prototype.propertyIsEnumerable

type Key = string | number | symbol

/** Stands for the value of a member that JSON leaves out, whatever it is. */
const HIDDEN = Symbol('hidden')

/** The path to a value that JSON cannot hold. Its keys are collected while the recursion returns. */
interface Culprit {
  readonly value: unknown
  readonly keys: Key[]
}

/** The JSON of session data. A cycle or a bigint, which make `JSON.stringify` throw, is refused with its path. */
export function toJson(data: object): string {
  let json: string | undefined
  try {
    json = JSON.stringify(data)
  } catch (error) {
    assertStorable(data)
    throw error
  }
  if (!json?.startsWith('{'))
    throw new InvalidValueError('The session has a toJSON of its own, so its data cannot be told.')
  return json
}

/** The data in the JSON of a stored session. Throws `ERR_SESSION_UNREADABLE`. */
export function parseStored(json: string): Record<string, unknown> {
  let data: unknown
  try {
    data = JSON.parse(json)
  } catch {
    throw unreadableError()
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw unreadableError()
  return data as Record<string, unknown>
}

/** The data of a stored session after changes. Throws `ERR_SESSION_UNREADABLE`: `applyChanges` alone does not notice damage. */
export function parseChanged(json: string, changes: MemberChanges): Record<string, unknown> {
  parseStored(json)
  return JSON.parse(applyChanges(json, changes))
}

/** Whether two JSON texts hold the same data. The order of keys is not data. */
export function isSameJson(a: string, b: string): boolean {
  if (a === b) return true
  return a.length === b.length && hasSameCharacters(a, b) && isDeepStrictEqual(JSON.parse(a), JSON.parse(b))
}

/** A cheap test first: texts that differ only in the order of keys have the same characters between their differences. */
function hasSameCharacters(a: string, b: string): boolean {
  let start = 0
  let end = a.length
  while (a.charCodeAt(start) === b.charCodeAt(start)) start++
  while (a.charCodeAt(end - 1) === b.charCodeAt(end - 1)) end--
  let balance = 0
  for (let index = start; index < end; index++) balance += a.charCodeAt(index) - b.charCodeAt(index)
  return balance === 0
}

/** The bytes of each key with its value in a JSON object. */
export function measureKeys(json: string): Record<string, number> {
  const data: Record<string, unknown> = JSON.parse(json)
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.byteLength(JSON.stringify({ [key]: value })) - '{}'.length])
  )
}

/**
 * Refuses a value that JSON would drop or silently change, with the path to it as the cause: functions, symbols, bigints, NaN and infinities,
 * holes in arrays, members that are not enumerable or have a symbol as key, dates, maps and every other class instance. A member
 * that is `undefined` is allowed: it counts as absent. So is `-0`, which becomes the `0` that it equals.
 */
export function assertStorable(data: object, root = 'session'): void {
  const culprit = findInMembers(data, 0)
  if (culprit !== undefined) refuse(culprit, root)
}

function refuse(culprit: Culprit, root: string): never {
  const path = root + culprit.keys.reverse().slice(0, 10).map(propertyPath).join('')
  const detail = `${path} holds ${describe(culprit.value)}, which JSON cannot hold. ${advise(culprit.value)}.`
  throw new InvalidValueError(
    'JSON cannot hold one of the values to store. The cause of this error says which one, and what to store instead.',
    { cause: new Error(detail) }
  )
}

/** The same for a session, faster. */
export function assertSessionStorable(session: object): void {
  const culprit = findInMembers(session, 0, countInSession)
  if (culprit !== undefined) refuse(culprit, 'session')
}

/** The same for some of the members and their content. */
export function assertStorableWithin(data: object, keys: readonly string[]): void {
  for (const key of keys) {
    const culprit = findInMember((data as Record<string, unknown>)[key], key, 0)
    if (culprit !== undefined) refuse(culprit, 'session')
  }
}

/**
 * The same for the members themselves of a session, not for their content. It is cheap enough for every session that was used, and
 * needed there: `JSON.stringify` leaves out a function without an error, so the data would seem unchanged.
 */
export function assertMembersStorable(session: object): void {
  let visible = 0
  for (const key in session) {
    if (!hasOwn.call(session, key)) continue
    visible++
    if (!isStorableItself((session as Record<string, unknown>)[key])) assertStorable(session)
  }
  if (countInSession(session) > visible) assertStorable(session)
}

function isStorableItself(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true
    case 'number':
      return Number.isFinite(value)
    case 'object':
      return value === null || (Array.isArray(value) ? isPlainArray(value) : isPlain(value))
    default:
      return false
  }
}

function find(value: unknown, depth: number): Culprit | undefined {
  if (value === undefined || !isStorableItself(value)) return { value, keys: [] }
  if (typeof value !== 'object' || value === null) return undefined
  if (depth > MAX_DEPTH) return { value, keys: [] }
  return Array.isArray(value) ? findInItems(value, depth) : findInMembers(value, depth)
}

function findInItems(items: readonly unknown[], depth: number): Culprit | undefined {
  for (let index = 0; index < items.length; index++) {
    const culprit = find(items[index], depth + 1)
    if (culprit !== undefined) return located(culprit, index)
  }
  return undefined
}

function findInMembers(data: object, depth: number, count: Count = countInLiteral): Culprit | undefined {
  let visible = 0
  for (const key in data) {
    if (!hasOwn.call(data, key)) continue
    visible++
    const culprit = findInMember((data as Record<string, unknown>)[key], key, depth)
    if (culprit !== undefined) return culprit
  }
  return count(data) > visible ? { value: HIDDEN, keys: [hiddenKeyOf(data)] } : undefined
}

function findInMember(value: unknown, key: string, depth: number): Culprit | undefined {
  const culprit = value === undefined ? undefined : find(value, depth + 1)
  return culprit && located(culprit, key)
}

/** Counts the members of an object, with those that JSON leaves out: they are not enumerable, or have a symbol as key. */
type Count = (data: object) => number

const countInLiteral: Count = (data) =>
  Object.getOwnPropertyNames(data).length + Object.getOwnPropertySymbols(data).length

/** Costs a third less for an object with private fields, like a session, and more than twice as much for any other one. */
const countInSession: Count = (session) => Reflect.ownKeys(session).length

function hiddenKeyOf(data: object): Key {
  return Reflect.ownKeys(data).find((key) => typeof key === 'symbol' || !isEnumerable.call(data, key)) as Key
}

function located(culprit: Culprit, key: Key): Culprit {
  culprit.keys.push(key)
  return culprit
}

/** An array of this realm or another, without members beside its items and `length`, which JSON would drop. */
function isPlainArray(value: readonly unknown[]): boolean {
  return Array.isArray(Object.getPrototypeOf(value)) && Reflect.ownKeys(value).length <= value.length + 1
}

/** An object literal, of this realm or another, or an object without a prototype (such as Fastify's query strings). */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null
}

function describe(value: unknown): string {
  if (value === undefined) return 'undefined inside an array'
  if (value === HIDDEN) return 'a value whose key is a symbol or not enumerable'
  if (typeof value === 'number') return `the number ${value}`
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`
  if (isStorableItself(value)) return `itself, or more than ${MAX_DEPTH} levels of nesting`
  if (value.constructor === Array) return 'an array with members beside its items'
  return `an instance of ${value.constructor?.name || 'a class'}`
}

function advise(value: unknown): string {
  if (value instanceof Date) return 'Store date.toISOString() or date.getTime()'
  if (value instanceof Map) return 'Store Object.fromEntries(map)'
  if (value instanceof Set) return 'Store [...set]'
  if (typeof value === 'bigint') return 'Store it as a string'
  if (value === HIDDEN) return 'Assign it to a key that is a string'
  if (typeof value === 'object') return 'Store a plain object, or the id of the thing'
  return 'Leave it out, or store null'
}

/** A key as JavaScript accesses it. */
export function propertyPath(key: Key): string {
  if (typeof key !== 'string') return `[${String(key)}]`
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}
