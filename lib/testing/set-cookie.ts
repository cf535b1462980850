/** A reply of `app.inject()`, of `fetch()`, or of `node:http`: of anything that has headers. */
export interface ReplyWithCookies {
  readonly headers:
    | { getSetCookie(): string[] }
    | { readonly 'set-cookie'?: string | readonly string[] | number | undefined }
}

/** A `Set-Cookie` line, as far as it says what a browser keeps, and where it sends it. */
export interface SetCookie {
  readonly name: string
  readonly value: string
  /** Undefined where the line has none that counts. */
  readonly path: string | undefined
  /** Whether the browser is told to forget the cookie. */
  readonly isOver: boolean
}

/** The `Set-Cookie` lines of a reply: none, one or many. */
export function setCookieLines({ headers }: ReplyWithCookies): string[] {
  if ('getSetCookie' in headers) return headers.getSetCookie()
  return [headers['set-cookie'] ?? []].flat().map(String)
}

/** Names of attributes in any spelling; of several, the last counts (RFC 6265bis, section 5.6). */
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
  // Max-Age has precedence, if it is a number.
  const isOver = /^-?\d+$/.test(maxAge) ? Number(maxAge) <= 0 : Date.parse(expires) <= Date.now()
  return { name, value, path: path?.startsWith('/') ? path : undefined, isOver }
}

/** Name and value of `name=value`. */
export function splitPair(pair: string): [name: string, value: string] {
  const [name = '', ...value] = pair.split('=')
  return [name.trim(), value.join('=').trim()]
}
