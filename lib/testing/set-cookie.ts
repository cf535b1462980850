/** A reply of `app.inject()`, `fetch()` or `node:http`. */
export interface ReplyWithCookies {
  readonly headers:
    | { getSetCookie(): string[] }
    | { readonly 'set-cookie'?: string | readonly string[] | number | undefined }
}

/** A `Set-Cookie` line: the attributes that decide what a browser stores and to which paths it sends it. */
export interface SetCookie {
  readonly name: string
  readonly value: string
  /** Undefined if the line has no valid path. */
  readonly path: string | undefined
  /** Whether the browser deletes the cookie. */
  readonly isDeleted: boolean
}

/** Returns the `Set-Cookie` lines of a reply. */
export function setCookieLines({ headers }: ReplyWithCookies): string[] {
  if ('getSetCookie' in headers) return headers.getSetCookie()
  return [headers['set-cookie'] ?? []].flat().map(String)
}

/**
 * Parses a line. The case of attribute names does not matter, and the last of several equal names wins (RFC 6265bis, section
 * 5.6).
 */
export function parseSetCookie(line: string): SetCookie {
  const [pair = '', ...rest] = line.split(';')
  const attributes = Object.fromEntries(
    rest.map((attribute) => {
      const [name, value] = splitPair(attribute)
      return [name.toLowerCase(), value]
    })
  )
  const [name, value] = splitPair(pair)
  const { path, expires = '', 'max-age': maxAge = '' } = attributes
  // Max-Age wins over Expires if it is a number.
  const isDeleted = /^-?\d+$/.test(maxAge) ? Number(maxAge) <= 0 : Date.parse(expires) <= Date.now()
  return { name, value, path: path?.startsWith('/') ? path : undefined, isDeleted }
}

/** Splits `name=value`. */
export function splitPair(pair: string): [name: string, value: string] {
  const [name = '', ...value] = pair.split('=')
  return [name.trim(), value.join('=').trim()]
}
