import type { ReplyWithCookies } from './set-cookie.ts'
import { parseSetCookie, setCookieLines, splitPair } from './set-cookie.ts'

interface Cookie {
  readonly name: string
  readonly value: string
  /** Undefined for what was put in by hand. */
  readonly path: string | undefined
}

/**
 * What a browser remembers of one host. It keeps names, values and paths, and forgets what a reply tells it to forget. It looks
 * at nothing else: `Secure`, `SameSite` and `Domain` are for browsers to enforce, and what has grown old is for the server to
 * refuse, so that a test notices when it does not.
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

  /** `cookies`: what to begin with, as in a `Cookie` header. It is sent to every path. */
  constructor(cookies = '') {
    for (const pair of cookies.split(';')) {
      const [name, value] = splitPair(pair)
      if (name !== '') this.set(name, value)
    }
  }

  /** The value of a cookie; undefined where there is none. */
  get(name: string): string | undefined {
    return this.#cookies.find((cookie) => cookie.name === name)?.value
  }

  /** Puts a cookie in, in place of all others of its name. It is sent to every path, until a reply sets one of its name. */
  set(name: string, value: string): void {
    this.#cookies = [...this.#cookies.filter((cookie) => cookie.name !== name), { name, value, path: undefined }]
  }

  /**
   * Does what the `Set-Cookie` lines of a reply say. `pathname`: what was asked for, where cookies without a path belong to.
   */
  take(reply: ReplyWithCookies, pathname = '/'): void {
    for (const line of setCookieLines(reply)) {
      const { name, value, path = directoryOf(pathname), isOver } = parseSetCookie(line)
      const isOther = (cookie: Cookie): boolean =>
        cookie.name !== name || (cookie.path !== undefined && cookie.path !== path)
      this.#cookies = [...this.#cookies.filter(isOther), ...(isOver ? [] : [{ name, value, path }])]
    }
  }

  /** The `Cookie` header for a request, longer paths first; without a `pathname` all cookies. Empty where there are none. */
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

/** RFC 6265bis, section 5.1.4: the default path. */
function directoryOf(pathname: string): string {
  return pathname.slice(0, pathname.lastIndexOf('/')) || '/'
}

/** RFC 6265bis, section 5.1.4: whether a path of a request matches the one of a cookie. */
function isWithin(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`)
}
