import type { FastifyRequest } from 'fastify'
import type { SessionOptions } from '../types/options.ts'
import type { RevocationList } from '../types/revocations.ts'
import type { OwnerLimit, SessionStore } from '../types/store.ts'
import type { Source } from './adopt/sources.ts'
import { readSources } from './adopt/sources.ts'
import type { ResolvedAttributes } from './cookie/attributes.ts'
import { ATTRIBUTE_NAMES, resolveAttributes } from './cookie/attributes.ts'
import { weaknessOf } from './crypto/weak-secret.ts'
import { assertStorable, toJson } from './data/storable.ts'
import { InvalidOptionError, MissingSecretError, UnknownOptionError, WeakSecretError } from './errors.ts'
import type { ForeignFormat } from './format/format.ts'
import type { DataSchema } from './schema/data-schema.ts'
import { readSchema, SCHEMA_OPTIONS } from './schema/read-schema.ts'
import { isBasePath } from './util/base-path.ts'
import {
  FASTIFY_NAMES,
  isBoolean,
  isFunction,
  isObject,
  isPropertyName,
  isString,
  MAX_INTEGER,
  readOption,
  readWholeOption
} from './util/check.ts'

/** What the user wrote, checked, with every default filled in. Frozen. Durations are in seconds. */
export interface Settings {
  /** Newest first. Those of the format, if it has its own. */
  readonly secrets: readonly Uint8Array[]
  readonly encrypt: boolean
  /** Absent: one of our own. */
  readonly format: ForeignFormat | undefined
  /** Absent: the data is in the cookie. */
  readonly store: SessionStore | undefined
  readonly storeTimeout: number
  /** The most bytes of JSON of one session in the store. */
  readonly maxBytes: number
  readonly ownerLimit: OwnerLimit | undefined
  /** What to note about a new session, as JSON. */
  readonly describe: ((request: FastifyRequest) => string) | undefined
  readonly renameGrace: number
  readonly freshness: number
  readonly signalInterval: number
  /** Absent: a copy of a cookie opens until it expires. */
  readonly revocations: RevocationList | undefined
  readonly maxStaleness: number
  readonly onStale: 'accept' | 'refuse'
  readonly cookieName: string
  readonly cookie: ResolvedAttributes
  readonly idleTimeout: number
  readonly absoluteTimeout: number
  /** The longest that one session may have instead. */
  readonly maxIdleTimeout: number
  readonly maxAbsoluteTimeout: number
  readonly refreshAfter: number
  readonly permanent: boolean
  /** Absent: data are not validated. */
  readonly schema: DataSchema | undefined
  /** The readers of other libraries' sessions. */
  readonly adopt: readonly Source[]
  readonly decorator: string
  /** Undefined: what a trusted proxy says. */
  readonly basePath: string | undefined
  /** Whether replies have the header `Session-Trace`. */
  readonly debug: boolean
  readonly clock: () => number
}

const DAY = 86_400
const STORE_METHODS: readonly (keyof SessionStore)[] = [
  'create',
  'load',
  'commit',
  'touch',
  'destroy',
  'list',
  'destroyAll'
]
const MAX_STORE_TIMEOUT = 600
const HOUR = 3600
const MEBIBYTE = 1_048_576
const MIN_SECRET_LENGTH = 32

/** The time stamps of the cookie format have ten digits for the seconds. */
const MAX_MILLISECONDS = 10_000_000_000_000
const HOW_TO_GET_A_SECRET = 'Run `npx fastify-typed-session secret` and keep what it prints in an environment variable'

/** The options that say how long a timeout of one session may be. */
export const CAPS = { idleTimeout: 'maxIdleTimeout', absoluteTimeout: 'maxAbsoluteTimeout' } as const

/** The options that mean nothing without a store. */
const STORE_OPTIONS = [
  'storeTimeout',
  'maxBytes',
  'maxPerOwner',
  'maxPerOwnerPolicy',
  'describe',
  'freshness',
  'signalInterval'
] as const

/** What does not go with the option `format`, and why. */
const WITH_FORMAT = {
  secret: 'the keys are those of the other framework, which the format has.',
  encrypt: 'the other framework could not read the cookie.',
  store: 'the data are in the cookie, where the other framework finds them.',
  revocations: 'the other framework does not ask which sessions have ended.',
  maxIdleTimeout: 'the other framework has the same timeouts for all sessions.',
  maxAbsoluteTimeout: 'the other framework has the same timeouts for all sessions.'
} as const

const FORMAT_EXCLUDES = Object.keys(WITH_FORMAT) as (keyof typeof WITH_FORMAT)[]

/** The options that mean nothing without a list of what has ended early. */
const LIST_OPTIONS = ['maxStaleness', 'onStale'] as const

const OPTION_NAMES: readonly string[] = [
  'secret',
  'encrypt',
  'format',
  'store',
  ...STORE_OPTIONS,
  'revocations',
  ...LIST_OPTIONS,
  'renameGrace',
  'cookieName',
  'cookie',
  'idleTimeout',
  'absoluteTimeout',
  'maxIdleTimeout',
  'maxAbsoluteTimeout',
  'refreshAfter',
  'permanent',
  ...SCHEMA_OPTIONS,
  'adopt',
  'decorator',
  'basePath',
  'debug',
  'clock'
]

/** What other libraries call a thing, and what it is called here. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  key: 'secret',
  keys: 'secret',
  secretKey: 'secret',
  password: 'secret',
  name: 'cookieName',
  sessionName: 'decorator',
  cookieOptions: 'cookie',
  ttl: 'idleTimeout, in seconds,',
  expiry: 'idleTimeout, in seconds,',
  maxAge: 'permanent, and idleTimeout and absoluteTimeout, in seconds,',
  expires: 'permanent, and idleTimeout and absoluteTimeout, in seconds,',
  rolling: 'refreshAfter',
  cookiePrefix: 'cookieName',
  proxy: 'trustProxy of Fastify'
}

/** Options of other libraries that have no counterpart, and why not. */
const NEEDLESS: Readonly<Record<string, string>> = {
  resave: 'Leave it out: a session is saved when it has changed, and never otherwise.',
  autoCommit: 'Leave it out: a session is saved when it has changed, before the reply.',
  saveUninitialized: 'Leave it out: a new session is saved when it has data, and never otherwise.',
  unset: 'Leave it out: request.session = null ends a session, and so does destroy().',
  genid: 'Leave it out: every id is random.',
  idGenerator: 'Leave it out: every id is random.',
  salt: 'Leave it out: the keys are derived from the secret.',
  signed: 'Leave it out: the cookie is always signed or encrypted.',
  algorithm: 'Leave it out: the cookie is signed with HMAC-SHA-256.',
  overwrite: 'Leave it out: a reply has one cookie of this name.'
}

/**
 * Checks every option, once, at start. Errors name the expected value, the given value and the fix. `environment`: the value of
 * `NODE_ENV`.
 */
export function resolveOptions(
  options: SessionOptions,
  environment: string | undefined = process.env.NODE_ENV
): Settings {
  for (const name of Object.keys(options)) {
    if (!OPTION_NAMES.includes(name) && !FASTIFY_NAMES.includes(name)) refuseUnknown(name, OPTION_NAMES, 'option')
  }
  const cookieName = readOption(options.cookieName, 'session', 'cookieName', 'a string', isString)
  const cookie = readOption<Record<string, unknown>>(options.cookie as never, {}, 'cookie', 'an object', isObject)
  for (const name of Object.keys(cookie)) {
    if (!ATTRIBUTE_NAMES.includes(name)) refuseUnknown(name, ATTRIBUTE_NAMES, 'cookie attribute')
  }
  const format = resolveFormat(options)
  const timeouts = resolveTimeouts(options, format)
  return Object.freeze({
    secrets: format?.secrets ?? resolveSecrets(options.secret),
    encrypt: readOption(options.encrypt, false, 'encrypt', 'true or false', isBoolean),
    format,
    ...resolveStore(options),
    ...resolveRevocations(options),
    cookieName,
    cookie: resolveAttributes(cookieName, cookie),
    ...timeouts,
    permanent: readOption(options.permanent, false, 'permanent', 'true or false', isBoolean),
    schema: readSchema(options),
    adopt: readSources(options.adopt, cookieName, (options.store ?? options.revocations) !== undefined),
    decorator: readOption(options.decorator, 'session', 'decorator', 'the name of a property', isPropertyName),
    basePath: readOption(
      options.basePath,
      undefined,
      'basePath',
      "a path such as '/shop', without a slash at its end",
      isBasePath
    ),
    debug: resolveDebug(options.debug, environment),
    clock: readOption(options.clock, systemClock, 'clock', 'a function that returns milliseconds since 1970', isClock)
  })
}

type TimeoutSetting = 'idleTimeout' | 'absoluteTimeout' | 'maxIdleTimeout' | 'maxAbsoluteTimeout' | 'refreshAfter'

/** How long sessions last, and how long one of them may last that asks for it. */
function resolveTimeouts(options: SessionOptions, format: ForeignFormat | undefined): Pick<Settings, TimeoutSetting> {
  const absoluteTimeout = seconds(options.absoluteTimeout, format?.absoluteTimeout ?? 30 * DAY, 'absoluteTimeout', 1)
  const usualIdleTimeout = Math.min(format?.idleTimeout ?? DAY, absoluteTimeout)
  const idleTimeout = seconds(options.idleTimeout, usualIdleTimeout, 'idleTimeout', 1)
  if (idleTimeout > absoluteTimeout) {
    throw new InvalidOptionError(
      `idleTimeout (${idleTimeout}) is longer than absoluteTimeout (${absoluteTimeout}) and would never end a session. Raise absoluteTimeout, or lower idleTimeout.`
    )
  }
  const refreshAfter = seconds(options.refreshAfter, Math.min(60, Math.floor(idleTimeout / 10)), 'refreshAfter', 0)
  if (refreshAfter >= idleTimeout) {
    throw new InvalidOptionError(
      `refreshAfter (${refreshAfter}) must be shorter than idleTimeout (${idleTimeout}): activity would not keep a session alive. Lower it, or leave it out.`
    )
  }
  const maxAbsoluteTimeout = readCap(options.maxAbsoluteTimeout, absoluteTimeout, 'absoluteTimeout')
  const maxIdleTimeout = readCap(options.maxIdleTimeout, idleTimeout, 'idleTimeout')
  if (maxIdleTimeout > maxAbsoluteTimeout) {
    throw new InvalidOptionError(
      `maxIdleTimeout (${maxIdleTimeout}) is longer than maxAbsoluteTimeout (${maxAbsoluteTimeout}), at which every session ends. Raise maxAbsoluteTimeout, or lower maxIdleTimeout.`
    )
  }
  return { idleTimeout, absoluteTimeout, maxIdleTimeout, maxAbsoluteTimeout, refreshAfter }
}

/** The longest timeout that one session may have. `usual`: that of all others. */
function readCap(given: number | undefined, usual: number, name: 'idleTimeout' | 'absoluteTimeout'): number {
  const capName = CAPS[name]
  const cap = seconds(given, usual, capName, 1)
  if (cap >= usual) return cap
  throw new InvalidOptionError(
    `${capName} (${cap}) is shorter than ${name} (${usual}), which every session has. Raise ${capName}, or lower ${name}.`
  )
}

type StoreSetting =
  | 'store'
  | 'storeTimeout'
  | 'maxBytes'
  | 'ownerLimit'
  | 'describe'
  | 'renameGrace'
  | 'freshness'
  | 'signalInterval'
type ListSetting = 'revocations' | 'maxStaleness' | 'onStale'

/** A server on which somebody forgot to set `NODE_ENV` is no place for development. */
function resolveDebug(given: SessionOptions['debug'], environment: string | undefined): boolean {
  const isDebug = (value: unknown): boolean => isBoolean(value) || value === 'always'
  const debug = readOption(given, false, 'debug', "true, false or 'always'", isDebug)
  return debug === 'always' || (debug && environment === 'development')
}

/** A format of another framework has its own keys. It is by value, and that framework asks nobody which sessions have ended. */
function resolveFormat(options: SessionOptions): ForeignFormat | undefined {
  const format = readOption<unknown>(
    options.format,
    undefined,
    'format',
    'what flaskCookie() of fastify-typed-session/flask returns',
    isFormat
  ) as ForeignFormat | undefined
  const other = format && FORMAT_EXCLUDES.find((name) => options[name] !== undefined && options[name] !== false)
  if (other === undefined) return format
  throw new InvalidOptionError(
    `The options format and ${other} exclude each other: ${WITH_FORMAT[other]} Remove one of them.`
  )
}

function isFormat(value: unknown): boolean {
  return isObject(value) && isFunction((value as Partial<ForeignFormat>).create)
}

/** Everything that concerns the store: without one, none of it means anything. */
function resolveStore(options: SessionOptions): Pick<Settings, StoreSetting> {
  const { store, maxPerOwner, maxPerOwnerPolicy, describe } = options
  if (store === undefined) {
    const orphan = STORE_OPTIONS.find((name) => options[name] !== undefined)
    if (orphan !== undefined) throw new InvalidOptionError(`The option ${orphan} needs the option store.`)
    if (options.renameGrace !== undefined && options.revocations === undefined) {
      throw new InvalidOptionError('The option renameGrace needs the option store, or the option revocations.')
    }
  } else if (!isStore(store)) {
    throw new InvalidOptionError(
      `The option store must be a SessionStore, such as new MemoryStore(): an object with the methods ${STORE_METHODS.join(', ')}. A store made for express-session goes through ExpressStore of fastify-typed-session/stores/express.`
    )
  }
  const policy = readOption(
    maxPerOwnerPolicy,
    'evict-oldest',
    'maxPerOwnerPolicy',
    "'evict-oldest' or 'refuse'",
    isPolicy
  )
  if (maxPerOwnerPolicy !== undefined && maxPerOwner === undefined) {
    throw new InvalidOptionError('The option maxPerOwnerPolicy needs the option maxPerOwner.')
  }
  const max = readWholeOption(maxPerOwner, 0, 'maxPerOwner', 'sessions', 1, MAX_INTEGER)
  readOption<unknown>(
    describe,
    undefined,
    'describe',
    'a function that takes a request and returns an object',
    isFunction
  )
  return {
    store,
    storeTimeout: readOption(
      options.storeTimeout,
      2,
      'storeTimeout',
      `a number of seconds, more than 0 and at most ${MAX_STORE_TIMEOUT}`,
      (value) => typeof value === 'number' && value > 0 && value <= MAX_STORE_TIMEOUT
    ),
    maxBytes: readWholeOption(options.maxBytes, MEBIBYTE, 'maxBytes', 'bytes', 1, MAX_INTEGER),
    ownerLimit: maxPerOwner === undefined ? undefined : { max, evict: policy === 'evict-oldest' },
    describe: describe && ((request) => toDescription(describe(request))),
    signalInterval: readWholeOption(options.signalInterval, 5, 'signalInterval', 'seconds', 1, HOUR),
    renameGrace: readWholeOption(options.renameGrace, 60, 'renameGrace', 'seconds', 0, HOUR),
    // What a list says is in memory: to ask again costs nothing.
    freshness: readWholeOption(
      options.freshness,
      options.revocations === undefined ? 1 : 0,
      'freshness',
      'seconds',
      0,
      HOUR
    )
  }
}

/** Everything that concerns the list of what has ended early. */
function resolveRevocations({ store, revocations, ...others }: SessionOptions): Pick<Settings, ListSetting> {
  if (revocations === undefined) {
    const orphan = LIST_OPTIONS.find((name) => others[name] !== undefined)
    if (orphan !== undefined) throw new InvalidOptionError(`The option ${orphan} needs the option revocations.`)
  } else if (store !== undefined) {
    throw new InvalidOptionError(
      'The options store and revocations exclude each other: a store knows which sessions have ended. Remove one of them.'
    )
  }
  return {
    revocations: readOption(
      revocations,
      undefined,
      'revocations',
      'a RevocationList, such as new MemoryRevocations(): an object with the methods add and since',
      isList
    ),
    maxStaleness: readWholeOption(others.maxStaleness, 5, 'maxStaleness', 'seconds', 1, HOUR),
    onStale: readOption(others.onStale, 'accept', 'onStale', "'accept' or 'refuse'", isReaction)
  }
}

function isList(value: unknown): boolean {
  const { add, since } = Object(value) as Partial<RevocationList>
  return isFunction(add) && isFunction(since)
}

function isReaction(value: unknown): boolean {
  return value === 'accept' || value === 'refuse'
}

function toDescription(description: object): string {
  if (!isObject(description)) {
    throw new InvalidOptionError(`The option describe must return an object; it returned a ${typeof description}.`)
  }
  assertStorable({ description }, 'describe()')
  return toJson(description)
}

function isStore(value: unknown): boolean {
  return isObject(value) && STORE_METHODS.every((name) => isFunction((value as Record<string, unknown>)[name]))
}

function isPolicy(value: unknown): boolean {
  return value === 'evict-oldest' || value === 'refuse'
}

function resolveSecrets(given: unknown): Uint8Array[] {
  const secrets = Array.isArray(given) ? given : [given]
  if (secrets.length === 0) throw new MissingSecretError(`The option secret is an empty array. ${HOW_TO_GET_A_SECRET}.`)
  const resolved = secrets.map((secret, index) =>
    resolveSecret(secret, Array.isArray(given) ? `The option secret[${index}]` : 'The option secret')
  )
  resolved.forEach((secret, index) => {
    const twin = resolved.findIndex((other) => Buffer.compare(other, secret) === 0)
    if (twin !== index)
      throw new InvalidOptionError(`secret[${index}] is the same as secret[${twin}]. Remove one of them.`)
  })
  return resolved
}

/** `name`: what the secret is called, at the beginning of a sentence. Throws if it is missing, or weak. */
export function resolveSecret(secret: unknown, name: string): Uint8Array {
  if (secret === undefined || secret === null || secret === '') {
    throw new MissingSecretError(`${name} is missing. ${HOW_TO_GET_A_SECRET}.`)
  }
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
    throw new InvalidOptionError(`${name} must be a string or bytes; it is a ${typeof secret}.`)
  }
  const unit = typeof secret === 'string' ? 'characters' : 'bytes'
  if (secret.length < MIN_SECRET_LENGTH) {
    throw new WeakSecretError(
      `${name} must have at least ${MIN_SECRET_LENGTH} ${unit}; it has ${secret.length}. ${HOW_TO_GET_A_SECRET}.`
    )
  }
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : Uint8Array.from(secret)
  const weakness = weaknessOf(bytes)
  if (weakness !== undefined) throw new WeakSecretError(`${name} ${weakness}. ${HOW_TO_GET_A_SECRET}.`)
  return bytes
}

function refuseUnknown(name: string, known: readonly string[], kind: string): never {
  throw new UnknownOptionError(`There is no ${kind} named ${JSON.stringify(name)}. ${adviceFor(name, known)}`)
}

function adviceFor(name: string, known: readonly string[]): string {
  if (Object.hasOwn(NEEDLESS, name)) return NEEDLESS[name] as string
  if (Object.hasOwn(OTHER_NAMES, name)) return `Use ${OTHER_NAMES[name]} instead.`
  if (ATTRIBUTE_NAMES.includes(name)) return `It is an attribute of the cookie: cookie: { ${name}: … }.`
  return `Known are ${known.join(', ')}.`
}

function seconds(given: number | undefined, fallback: number, name: string, least: number): number {
  return readWholeOption(given, fallback, name, 'seconds', least, MAX_INTEGER)
}

/** Read at each call, so that fake timers installed later work. */
function systemClock(): number {
  return Date.now()
}

function isClock(value: unknown): boolean {
  if (typeof value !== 'function') return false
  const milliseconds: unknown = value()
  return typeof milliseconds === 'number' && milliseconds >= 0 && milliseconds < MAX_MILLISECONDS
}
