import { inspect } from 'node:util'
import type { CookieAttributes } from '../../types/options.ts'
import { CookieRuleError, InvalidOptionError } from '../errors.ts'
import { isBoolean } from '../util/check.ts'

/** The longest cookie that browsers keep: name and value together, in bytes (RFC 6265bis, section 5.6). */
export const MAX_COOKIE_BYTES = 4096

/** The longest lifetime that browsers grant (RFC 6265bis, section 5.5), in seconds: 400 days. */
export const LONGEST_COOKIE = 34_560_000

const COOKIE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** The attributes of a cookie, with defaults for what was not given. */
export type ResolvedAttributes = Readonly<
  {
    [Name in Exclude<keyof CookieAttributes, 'domain' | 'priority'>]-?: Exclude<CookieAttributes[Name], undefined>
  } & Pick<CookieAttributes, 'domain' | 'priority'>
>

/** Browsers refuse `SameSite=None` without `Secure` (RFC 6265bis, section 5.7). `secure`: whether this reply sends that. */
export function sameSiteFor({ sameSite }: ResolvedAttributes, secure: boolean): ResolvedAttributes['sameSite'] {
  return sameSite === 'none' && !secure ? 'lax' : sameSite
}

/** Whether a reply sends a cookie with `Secure`. `secure`: the attribute as it was resolved; `protocol`: of the request. */
export function isSecure(secure: ResolvedAttributes['secure'], protocol: string): boolean {
  return secure === 'auto' ? protocol === 'https' : secure
}

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

/** The names of all attributes that the option `cookie` accepts. */
export const ATTRIBUTE_NAMES: readonly string[] = Object.keys(CHECKS)

/**
 * Returns the attributes of a cookie, with defaults for what was not given. Throws for a name, an attribute or a combination
 * that browsers refuse: they ignore such a cookie and report nothing.
 */
export function resolveAttributes(name: string, given: Partial<CookieAttributes>): ResolvedAttributes {
  if (!COOKIE_NAME.test(name)) {
    throw new InvalidOptionError(
      `The cookie name ${JSON.stringify(name)} contains characters that a cookie name must not contain. Use letters, digits, '-' and '_'.`
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
  const demand = (isMet: boolean, who: string, what: string): void => {
    if (!isMet) throw new CookieRuleError(`${who} needs ${what}: otherwise browsers refuse the cookie '${name}'.`)
  }
  if (prefix !== undefined && rules !== undefined) {
    demand(name.startsWith(prefix), `A name with the prefix ${prefix}`, 'exactly this spelling')
    demand(attributes.secure === true, `The prefix ${prefix}`, 'secure: true')
    demand(!rules.httpOnly || attributes.httpOnly, `The prefix ${prefix}`, 'httpOnly: true')
    demand(!rules.host || attributes.path === '/', `The prefix ${prefix}`, "path: '/'")
    if (rules.host && attributes.domain !== undefined) {
      throw new CookieRuleError(
        `The prefix ${prefix} forbids the attribute domain: browsers refuse the cookie '${name}' with it.`
      )
    }
  }
  demand(attributes.sameSite !== 'none' || attributes.secure !== false, "sameSite: 'none'", "secure: true or 'auto'")
  demand(!attributes.partitioned || attributes.secure === true, 'partitioned: true', 'secure: true')
  return Object.freeze(attributes)
}

/** RFC 6265bis: no semicolon (section 4.1.1); browsers ignore an attribute of more than 1024 bytes (section 5.6). */
function isPath(value: unknown): boolean {
  return typeof value === 'string' && /^\/[\x20-\x3a\x3c-\x7e]{0,1023}$/.test(value)
}

function isHostName(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > 253) return false
  return /^\.?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(value)
}
