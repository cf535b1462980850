import { InvalidValueError } from './errors.ts'

const MAX_DEPTH = 200

/** Where a value is that JSON cannot hold: the keys that lead to it are collected on the way back up. */
interface Culprit {
  readonly value: unknown
  readonly keys: (string | number)[]
}

/** The JSON of session data. A cycle or a bigint, which make `JSON.stringify` throw, is refused with its path. */
export function toJson(data: object): string {
  try {
    return JSON.stringify(data)
  } catch (error) {
    assertStorable(data)
    throw error
  }
}

/** The bytes of each key with its value in a JSON object. */
export function measureKeys(json: string): Record<string, number> {
  const data: Record<string, unknown> = JSON.parse(json)
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.byteLength(JSON.stringify({ [key]: value })) - '{}'.length])
  )
}

/**
 * Refuses, with the path that holds it, what JSON would drop or silently turn into something else: functions, symbols,
 * bigints, NaN and infinities, holes in arrays, dates, maps and every other class instance. A member that is `undefined`
 * is fine: it means that the member is not there.
 */
export function assertStorable(data: object, root = 'session'): void {
  const culprit = findInMembers(data, 0)
  if (culprit === undefined) return
  const path = root + culprit.keys.reverse().slice(0, 10).map(propertyPath).join('')
  throw new InvalidValueError(
    `${path} holds ${describe(culprit.value)}, which JSON cannot hold. ${advise(culprit.value)}.`
  )
}

function find(value: unknown, depth: number): Culprit | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : { value, keys: [] }
    case 'object':
      if (value === null) return undefined
      if (depth > MAX_DEPTH) return { value, keys: [] }
      if (Array.isArray(value)) return findInItems(value, depth)
      return isPlain(value) ? findInMembers(value, depth) : { value, keys: [] }
    default:
      return { value, keys: [] }
  }
}

function findInItems(items: readonly unknown[], depth: number): Culprit | undefined {
  for (let index = 0; index < items.length; index++) {
    const culprit = find(items[index], depth + 1)
    if (culprit !== undefined) return located(culprit, index)
  }
  return undefined
}

function findInMembers(data: object, depth: number): Culprit | undefined {
  for (const key of Object.keys(data)) {
    const value = (data as Record<string, unknown>)[key]
    if (value === undefined) continue
    const culprit = find(value, depth + 1)
    if (culprit !== undefined) return located(culprit, key)
  }
  return undefined
}

function located(culprit: Culprit, key: string | number): Culprit {
  culprit.keys.push(key)
  return culprit
}

/** An object literal, of this realm or another, or an object without a prototype (such as Fastify's query strings). */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null
}

function describe(value: unknown): string {
  if (value === undefined) return 'undefined inside an array'
  if (typeof value === 'number') return `the number ${value}`
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`
  if (isPlain(value) || Array.isArray(value)) return `itself, or more than ${MAX_DEPTH} levels of nesting`
  return `an instance of ${value.constructor?.name || 'a class'}`
}

function advise(value: unknown): string {
  if (value instanceof Date) return 'Store date.toISOString() or date.getTime()'
  if (value instanceof Map) return 'Store Object.fromEntries(map)'
  if (value instanceof Set) return 'Store [...set]'
  if (typeof value === 'bigint') return 'Store it as a string'
  if (typeof value === 'object') return 'Store a plain object, or the id of the thing'
  return 'Leave it out, or store null'
}

function propertyPath(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}
