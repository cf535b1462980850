import type { ResolvedAttributes } from './attributes.ts'
import { LONGEST_COOKIE, sameSiteFor } from './attributes.ts'
import type { SerializeCookie } from './serializer.ts'

/** Writes the Set-Cookie lines of one cookie. Setting and clearing have the same attributes. */
export interface CookieWriter {
  /** Returns a Set-Cookie line. `maxAge` is in seconds; undefined for a cookie that ends with the browser. */
  set(value: string, secure: boolean, maxAge: number | undefined): string
  /** Returns the Set-Cookie line that makes the browser delete the cookie. */
  clear(secure: boolean): string
}

/** Creates the writer of a cookie. It serializes the attributes once, so that each line costs one concatenation. */
export function createCookieWriter(
  name: string,
  attributes: ResolvedAttributes,
  serialize: SerializeCookie
): CookieWriter {
  const serializeAttributes = (secure: boolean): string =>
    serialize(name, '', { ...attributes, secure, sameSite: sameSiteFor(attributes, secure) }).slice(name.length + 1)
  const [plain, secured] = [serializeAttributes(false), serializeAttributes(true)]
  return {
    set(value, secure, maxAge) {
      const age = maxAge === undefined ? '' : `; Max-Age=${Math.min(maxAge, LONGEST_COOKIE)}`
      return `${name}=${value}${age}${secure ? secured : plain}`
    },
    clear(secure) {
      return `${name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT${secure ? secured : plain}`
    }
  }
}
