import { inspect } from 'node:util'
import type { CookieAttributes } from '../../types/options.ts'
import { CookieRuleError, InvalidOptionError } from '../errors.ts'
import { isBoolean } from '../util/check.ts'

/** The most bytes of name and value that browsers keep (RFC 6265bis, section 5.6). */
export const MAX_COOKIE_BYTES = 4096

const COOKIE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Attributes with every default filled in. */
export type ResolvedAttributes = Readonly<
  {
    [Name in Exclude<keyof CookieAttributes, 'domain' | 'priority'>]-?: Exclude<CookieAttributes[Name], undefined>
  } & Pick<CookieAttributes, 'domain' | 'priority'>
>

interface PrefixRules {
  readonly secure: boolean
  readonly host: boolean
  readonly httpOnly: boolean
}

// RFC 6265bis, section 4.1.3; the two `Http` prefixes: draft-ietf-httpbis-layered-cookies.
const PREFIXES: Readonly<Record<string, PrefixRules>> = {
  '__Host-Http-': { secure: true, host: true, httpOnly: true },
  '__Host-': { secure: true, host: true, httpOnly: false },
  '__Http-': { secure: true, host: false, httpOnly: true },
  '__Secure-': { secure: true, host: false, httpOnly: false }
}

const CHECKS: { readonly [Name in keyof CookieAttributes]-?: readonly [string, (value: unknown) => boolean] } = {
  path: ["a string that starts with '/', of at most 1024 ASCII characters", (value) => isPath(value)],
  domain: ['a host name such as example.com', (value) => value === undefined || isHostName(value)],
  httpOnly: ['true or false', isBoolean],
  sameSite: ["'lax', 'strict' or 'none'", (value) => value === 'lax' || value === 'strict' || value === 'none'],
  secure: ["true, false or 'auto'", (value) => value === 'auto' || isBoolean(value)],
  partitioned: ['true or false', isBoolean],
  priority: [
    "'low', 'medium' or 'high'",
    (value) => value === undefined || value === 'low' || value === 'medium' || value === 'high'
  ]
}

/** The names of all cookie attributes that can be set. */
export const ATTRIBUTE_NAMES: readonly string[] = Object.keys(CHECKS)

/** The attributes of a cookie, defaults filled in and every rule checked that a browser would enforce without a word. */
export function resolveAttributes(name: string, given: Partial<CookieAttributes>): ResolvedAttributes {
  if (!COOKIE_NAME.test(name)) {
    throw new InvalidOptionError(
      `The cookie name ${JSON.stringify(name)} has characters that no cookie name may have. Use letters, digits, '-' and '_'.`
    )
  }
  const prefix = Object.keys(PREFIXES).find((candidate) => name.toLowerCase().startsWith(candidate.toLowerCase()))
  const rules = prefix === undefined ? undefined : PREFIXES[prefix]
  const attributes: ResolvedAttributes = {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: rules ? true : 'auto',
    partitioned: false,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  }
  for (const [attribute, [expected, accepts]] of Object.entries(CHECKS)) {
    const value: unknown = attributes[attribute as keyof CookieAttributes]
    if (!accepts(value)) {
      throw new InvalidOptionError(
        `The cookie attribute ${attribute} must be ${expected}; it is ${inspect(value, { depth: 0 })}.`
      )
    }
  }
  const demand = (met: boolean, who: string, what: string): void => {
    if (!met) throw new CookieRuleError(`${who} needs ${what}: browsers refuse the cookie '${name}' otherwise.`)
  }
  if (prefix !== undefined && rules !== undefined) {
    demand(name.startsWith(prefix), `A name that starts like ${prefix}`, 'exactly that spelling')
    demand(attributes.secure === true, `The prefix ${prefix}`, 'secure: true')
    demand(!rules.httpOnly || attributes.httpOnly, `The prefix ${prefix}`, 'httpOnly: true')
    demand(!rules.host || attributes.path === '/', `The prefix ${prefix}`, "path: '/'")
    demand(!rules.host || attributes.domain === undefined, `The prefix ${prefix}`, 'no domain')
  }
  demand(attributes.sameSite !== 'none' || attributes.secure === true, "sameSite: 'none'", 'secure: true')
  demand(!attributes.partitioned || attributes.secure === true, 'partitioned: true', 'secure: true')
  return Object.freeze(attributes)
}

/** RFC 6265bis, section 4.1.1: no semicolon; section 5.6: browsers ignore attributes of more than 1024 bytes. */
function isPath(value: unknown): boolean {
  return typeof value === 'string' && /^\/[\x20-\x3a\x3c-\x7e]{0,1023}$/.test(value)
}

function isHostName(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > 253) return false
  return /^\.?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(value)
}
