import type { OutgoingHttpHeaders } from 'node:http'
import { toLines } from './headers.ts'

/** What a cache that serves many people may do with a reply. */
export type Sharing =
  /** It must not store it. */
  | 'private'
  /** It may store it, but must ask the server before it uses it; or nothing is said, so that it may do as it likes. */
  | 'unsaid'
  /** It may give it to other people. */
  | 'shared'

/** How the headers of a reply rule caches. */
export interface Caching {
  readonly sharing: Sharing
  /** The fields, with their values, that make the reply private. */
  readonly asPrivate: Readonly<Record<string, string>>
}

const CACHE_CONTROL = 'cache-control'

interface Directive {
  readonly name: string
  /** Undefined if there is none: `private="field"` rules a field, not the reply. */
  readonly argument: string | undefined
  readonly text: string
}

/** What comes between commas that are not in a quoted string (RFC 9110, sections 5.6.1 and 5.6.4). */
const MEMBERS = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g

/** What says the opposite of private, or, as `must-understand`, makes `no-store` void (RFC 9111, section 5.2.2.3). */
const CONTRARY: readonly string[] = ['public', 'private', 's-maxage', 'must-understand']

/**
 * Reads Cache-Control (RFC 9111, section 5.2.2), Expires, and the fields that are targeted at some caches (RFC 9213). Those caches
 * ignore Cache-Control, and others ignore their field: the reply is as private as the field that says it least.
 */
export function readCaching(headers: OutgoingHttpHeaders): Caching {
  const asPrivate: Record<string, string> = {}
  const judge = (name: string, expires: unknown, keyword: string): Sharing => {
    const directives = parse(headers[name])
    // An empty field for some caches does not count (RFC 9213, section 2.2).
    if (directives.length === 0 && name !== CACHE_CONTROL) return 'private'
    const sharing = sharingOf(directives, expires)
    if (sharing !== 'private') asPrivate[name] = withKeyword(keyword, directives)
    return sharing
  }
  let sharing = judge(CACHE_CONTROL, headers.expires, headers[CACHE_CONTROL] === undefined ? 'no-store' : 'private')
  for (const name in headers) {
    if (!isTargeted(name)) continue
    // `no-store`: Surrogate-Control knows no `private`.
    const other = judge(name, undefined, 'no-store')
    if (sharing === 'private' || other === 'shared') sharing = other
  }
  return { sharing, asPrivate }
}

/** By the names that they all have. A cache must not go by those (RFC 9213, section 2.1), but here it leads to more care only. */
function isTargeted(name: string): boolean {
  return name.endsWith('-cache-control') || name === 'surrogate-control'
}

function parse(value: OutgoingHttpHeaders[string]): Directive[] {
  const members = toLines(value).join(',').match(MEMBERS) ?? []
  return members.map(toDirective).filter(({ name }) => name !== '')
}

function toDirective(member: string): Directive {
  const text = member.trim()
  const at = text.indexOf('=')
  return at === -1
    ? { name: text.toLowerCase(), argument: undefined, text }
    : { name: text.slice(0, at).trim().toLowerCase(), argument: text.slice(at + 1), text }
}

function sharingOf(directives: readonly Directive[], expires: unknown): Sharing {
  const has = (name: string): boolean =>
    directives.some((directive) => directive.name === name && directive.argument === undefined)
  if (has('private') || (has('no-store') && !has('must-understand'))) return 'private'
  if (has('no-cache')) return 'unsaid'
  const seconds = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age')
  const isFresh = seconds === undefined ? (isFuture(expires) ?? has('public')) : seconds > 0
  // RFC 5861: used, for some time, although it is stale.
  const isUsedStale = ['stale-while-revalidate', 'stale-if-error'].some(
    (name) => Number(secondsOf(directives, name)) > 0
  )
  return isFresh || isUsedStale ? 'shared' : 'unsaid'
}

/** The longest, if caches may disagree on which of several counts. What is no number makes a reply stale (RFC 9111, section 4.2.1). */
function secondsOf(directives: readonly Directive[], name: string): number | undefined {
  const found = directives.filter((directive) => directive.name === name)
  const seconds = found.map(({ argument = '' }) => Number.parseInt(argument.replace('"', ''), 10) || 0)
  return seconds.length === 0 ? undefined : Math.max(...seconds)
}

/** Undefined if there is no Expires. An invalid one is in the past (RFC 9111, section 5.3). By the clock of the Date header. */
function isFuture(expires: unknown): boolean | undefined {
  return expires === undefined ? undefined : Date.parse(String(expires)) > Date.now()
}

function withKeyword(keyword: string, directives: readonly Directive[]): string {
  const others = directives.filter(({ name }) => !CONTRARY.includes(name))
  return [keyword, ...others.map(({ text }) => text)].join(', ')
}
