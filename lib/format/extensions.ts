import type { OpenRefusal } from '../../types/diagnostics.ts'

/**
 * Facts about a session that not every version of this package knows, as text: for each of them `:`, a tag of one letter, and a
 * value. They stand in the order of their tags, each tag once. No text stands for none.
 */
export type Extensions = string | undefined

const MARK = ':'
const SHAPE = /^(?::[A-Za-z][\w-]*)+$/
/** What most sessions with extensions have, tested at once: timeouts, an offer, or a version. */
const USUAL = /^(?::I[1-9][0-9]{0,9})?(?::L[1-9][0-9]{0,9})?(?::d[0-9]{10})?(?::v[1-9][0-9]{0,8})?$/
/** What most bound sessions have, tested at once. */
const BOUND =
  /^:D[0-9]{10}E[\w-]{86}(?::I[1-9][0-9]{0,9})?(?::L[1-9][0-9]{0,9})?(?::p[0-9]{10})?(?::v[1-9][0-9]{0,8})?$/
const FIRST_SMALL_LETTER = 'a'

/**
 * What the extensions of a stored session begin with whose values are sealed. It is no extension, and it is gone before any is read:
 * who finds it does not open the values, and must not take them for data.
 */
const SEALED = ':S1'

const SCHEMA_VERSION = 'v'
const UNJUDGED = '-'

/** The largest version of a schema that a session can have. */
export const MAX_SCHEMA_VERSION = 999_999_999

/** The extensions that this version knows, each with the values that its one spelling allows. */
const KNOWN: Readonly<Record<string, RegExp>> = {
  [SCHEMA_VERSION]: /^[1-9][0-9]{0,8}-?$/,
  // See `device.ts`. The key of RSA has 2048 to 4096 bits.
  D: /^[0-9]{10}(?:E[\w-]{86}|R[\w-]{342,683})$/,
  // See `timeouts.ts`.
  I: /^[1-9][0-9]{0,9}$/,
  L: /^[1-9][0-9]{0,9}$/,
  d: /^[0-9]{10}$/,
  p: /^[0-9]{10}$/
}

/**
 * Why a session with these extensions does not open: they have another spelling, or one of them is critical and unknown here. A
 * capital letter is critical: who does not know it would misjudge the session.
 */
export function refuseExtensions(
  extensions: Extensions
): Extract<OpenRefusal, 'malformed' | 'unsupported'> | undefined {
  if (!extensions || USUAL.test(extensions) || BOUND.test(extensions)) return undefined
  if (!SHAPE.test(extensions) || isSealed(extensions)) return 'malformed'
  let isSupported = true
  let previous = ''
  for (const entry of split(extensions)) {
    const tag = tagOf(entry)
    const spelling = Object.hasOwn(KNOWN, tag) ? KNOWN[tag] : undefined
    if (tag <= previous || spelling?.test(entry.slice(1)) === false) return 'malformed'
    if (spelling === undefined && tag < FIRST_SMALL_LETTER) isSupported = false
    previous = tag
  }
  return isSupported ? undefined : 'unsupported'
}

/** Whether the values of a stored session are sealed. */
export function isSealed(extensions: Extensions): boolean {
  return extensions?.startsWith(SEALED) === true
}

/** Returns the extensions of a stored session whose values are sealed. */
export function sealedExtensions(extensions: Extensions): string {
  return SEALED + (extensions ?? '')
}

/** The opposite of `sealedExtensions`. Others stay as they are. */
export function openedExtensions(extensions: Extensions): Extensions {
  return isSealed(extensions) ? extensions?.slice(SEALED.length) : extensions
}

/** Returns the value of an extension; undefined if there is none. */
export function readExtension(extensions: Extensions, tag: string): string | undefined {
  if (!extensions) return undefined
  return split(extensions)
    .find((entry) => tagOf(entry) === tag)
    ?.slice(1)
}

/** Returns the extensions with another value of one of them, or without it. `value`: letters, digits, `-` and `_`. */
export function withExtension(extensions: Extensions, tag: string, value: string | undefined): Extensions {
  const entries = extensions ? split(extensions).filter((entry) => tagOf(entry) !== tag) : []
  if (value !== undefined) entries.push(tag + value)
  return entries.length === 0 ? undefined : MARK + entries.sort().join(MARK)
}

/** The schema that data were written under. */
export interface SchemaStamp {
  readonly version: number
  /** Whether a server with this version has judged them. One with an older version, or without a schema, may have changed them. */
  readonly isJudged: boolean
}

/** Returns what a session says of the schema of its data; undefined if they were written without one. */
export function readSchemaStamp(extensions: Extensions): SchemaStamp | undefined {
  const value = readExtension(extensions, SCHEMA_VERSION)
  return value === undefined ? undefined : { version: Number.parseInt(value, 10), isJudged: !value.endsWith(UNJUDGED) }
}

/** For data that were judged. `version`: a whole number from 1 to `MAX_SCHEMA_VERSION`. */
export function withSchemaVersion(extensions: Extensions, version: number): Extensions {
  return withExtension(extensions, SCHEMA_VERSION, String(version))
}

/** For data that were changed by a server that does not know their version. */
export function withoutJudgement(extensions: Extensions): Extensions {
  const stamp = readSchemaStamp(extensions)
  return stamp?.isJudged ? withExtension(extensions, SCHEMA_VERSION, stamp.version + UNJUDGED) : extensions
}

/**
 * Returns `base` for a session that goes on with data of a session with the extensions `other`. Data of another version keep it,
 * so that they are not migrated twice.
 */
export function withVersionOf(base: Extensions, other: Extensions): Extensions {
  const version = readSchemaStamp(other)?.version
  if (version === undefined || version === readSchemaStamp(base)?.version) return base
  return withoutJudgement(withSchemaVersion(base, version))
}

function split(extensions: string): string[] {
  return extensions.slice(1).split(MARK)
}

function tagOf(entry: string): string {
  return entry.charAt(0)
}
