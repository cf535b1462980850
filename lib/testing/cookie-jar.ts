import type { ReplyWithCookies } from './set-cookie.ts'
import { parseSetCookie, setCookieLines, splitPair } from './set-cookie.ts'

interface Cookie {
  readonly name: string
  readonly value: string
  /** Undefined for a cookie that `set` or the constructor added. */
  readonly path: string | undefined
}

/**
 * The cookies that a browser has for one host. The jar stores names, values and paths, and deletes a cookie if a reply says so.
 * It ignores the other attributes: `Secure`, `SameSite` and `Domain` are up to browsers. It keeps an expired cookie, because
 * the server must refuse it, and a test must notice if the server does not.
 *
 * @example
 * ```ts
 * const jar = new CookieJar('theme=dark')
 * jar.take(await app.inject('/'))
 * await app.inject({ url: '/cart', headers: { cookie: jar.header('/cart') } })
 * ```
 */
export class CookieJar {
  #cookies: readonly Cookie[] = []

  /** `cookies`: the first cookies, as in a `Cookie` header. The jar sends them to every path. Default: none. */
  constructor(cookies = '') {
    for (const pair of cookies.split(';')) {
      const [name, value] = splitPair(pair)
      if (name !== '') this.set(name, value)
    }
  }

  /**
   * Returns the value of a cookie; undefined if there is none.
   *
   * @example
   * ```ts
   * new CookieJar('theme=dark').get('theme') // 'dark'
   * ```
   */
  get(name: string): string | undefined {
    return this.#cookies.find((cookie) => cookie.name === name)?.value
  }

  /**
   * Sets a cookie and removes all others of its name. The jar sends it to every path, until a reply sets a cookie of its name.
   *
   * @example
   * ```ts
   * const client = await createClient(app)
   * client.jar.set('session', 'forged')
   * ```
   */
  set(name: string, value: string): void {
    this.#cookies = [...this.#cookies.filter((cookie) => cookie.name !== name), { name, value, path: undefined }]
  }

  /**
   * Stores and deletes cookies as the `Set-Cookie` lines of a reply say. `pathname`: the path of the request, from which a
   * cookie without `Path` gets its own. Default `'/'`.
   *
   * @example
   * ```ts
   * const jar = new CookieJar()
   * jar.take(await app.inject('/'))
   * ```
   */
  take(reply: ReplyWithCookies, pathname = '/'): void {
    for (const line of setCookieLines(reply)) {
      const { name, value, path = directoryOf(pathname), isDeleted } = parseSetCookie(line)
      const isOther = (cookie: Cookie): boolean =>
        cookie.name !== name || (cookie.path !== undefined && cookie.path !== path)
      this.#cookies = [...this.#cookies.filter(isOther), ...(isDeleted ? [] : [{ name, value, path }])]
    }
  }

  /**
   * Returns the `Cookie` header of a request to a path, with longer paths first; an empty string if there are no cookies.
   * Without `pathname` it returns all cookies.
   *
   * @example
   * ```ts
   * new CookieJar('theme=dark').header('/cart') // 'theme=dark'
   * ```
   */
  header(pathname?: string): string {
    return this.#cookies
      .filter(({ path }) => pathname === undefined || path === undefined || isWithin(pathname, path))
      .sort((a, b) => lengthOf(b) - lengthOf(a))
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }
}

function lengthOf({ path = '' }: Cookie): number {
  return path.length
}

/** Returns the default path of a cookie (RFC 6265bis, section 5.1.4). */
function directoryOf(pathname: string): string {
  return pathname.slice(0, pathname.lastIndexOf('/')) || '/'
}

/** Whether the path of a request matches the path of a cookie (RFC 6265bis, section 5.1.4). */
function isWithin(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
}
