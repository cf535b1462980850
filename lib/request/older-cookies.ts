import type { ResolvedAttributes } from '../cookie/attributes.ts'
import type { SerializeCookie } from '../cookie/serializer.ts'
import type { CookieWriter } from '../cookie/write.ts'
import { createCookieWriter } from '../cookie/write.ts'
import type { Settings } from '../options.ts'
import { candidatesIn } from './candidates.ts'
import type { SessionState } from './state.ts'

type Place = Pick<ResolvedAttributes, 'domain' | 'path'>

const NO_LINES: readonly string[] = []

/**
 * The cookies that a browser may still have from before `domain` or `path` of the settings changed. A browser does not say for
 * which domain and path it has a cookie, so only those are known that follow from the settings: without `domain`, and with `/`.
 */
export class OlderCookies {
  readonly #cookieName: string
  readonly #writers: readonly CookieWriter[]

  constructor({ cookieName, cookie }: Settings, serialize: SerializeCookie) {
    this.#cookieName = cookieName
    this.#writers = olderPlaces(cookie).map((place) =>
      createCookieWriter(cookieName, { ...cookie, ...place }, serialize)
    )
  }

  /** Returns the Set-Cookie lines that clear them, if the browser may have some. */
  clear(state: SessionState, secure: boolean): readonly string[] {
    return this.#mayExist(state) ? this.#writers.map((writer) => writer.clear(secure)) : NO_LINES
  }

  /**
   * Other cookies that do not open may be those of another program, which must stay. If an ended session had the only cookie, that
   * one may be an older one.
   */
  #mayExist({ losers, loaded, persisted, request }: SessionState): boolean {
    if (this.#writers.length === 0) return false
    if (losers.length > 0) return true
    if (loaded === undefined || persisted !== undefined) return false
    return candidatesIn(request.raw.headers.cookie as string, this.#cookieName).values.length === 1
  }
}

function olderPlaces({ domain, path }: Place): Place[] {
  const domains = domain === undefined ? [undefined] : [domain, undefined]
  const paths = path === '/' ? ['/'] : [path, '/']
  const [, ...others] = domains.flatMap((domain) => paths.map((path) => ({ domain, path })))
  return others
}
