import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { SessionData, SessionValues } from '../../types/session.ts'
import { assertKnown, isBoolean, isString, readOption } from '../util/check.ts'
import { CookieJar } from './cookie-jar.ts'
import type { AnyApp } from './factory-of.ts'
import type { SessionReading } from './read-session.ts'
import { readSession } from './read-session.ts'
import { followUp, urlOf } from './redirect.ts'
import type { SessionCookieOptions } from './session-cookie.ts'
import { SESSION_COOKIE_OPTIONS, sessionCookie } from './session-cookie.ts'

/** The limit of browsers (Fetch standard, HTTP-redirect fetch). */
const MAX_REDIRECTS = 20

const OPTIONS: readonly string[] = [...SESSION_COOKIE_OPTIONS, 'data', 'cookies', 'followRedirects']

/** An application, or a scope of one, that answers requests without a network. Every Fastify instance is one. */
export interface InjectableApp extends AnyApp {
  /** Sends a request, as `app.inject()` of Fastify does. */
  inject(options: InjectOptions): Promise<LightMyRequestResponse>
}

/** Options of `createClient`. */
export interface ClientOptions<Data = SessionData> extends SessionCookieOptions {
  /**
   * The data of the session, as for `sessionCookie()`. Default: none. Without `data`, `ownerId` and `user` there is no session.
   *
   * @example
   * ```ts
   * const ada = await createClient(app, { data: { userId: 7 } })
   * ```
   */
  readonly data?: SessionValues<Data> | undefined
  /**
   * Other cookies of the client, as in a `Cookie` header. Default: none.
   *
   * @example
   * ```ts
   * const visitor = await createClient(app, { cookies: 'theme=dark; lang=en' })
   * ```
   */
  readonly cookies?: string | undefined
  /**
   * Whether the client follows redirects within the application, at most 20. Default `false`: a test sees the redirect.
   *
   * @example
   * ```ts
   * const visitor = await createClient(app, { followRedirects: true })
   * ```
   */
  readonly followRedirects?: boolean | undefined
}

/** What `app.inject()` takes, except method and URL. */
export type ClientRequest = Omit<InjectOptions, 'method' | 'url' | 'path'>

/**
 * A browser as far as cookies are concerned: `app.inject()` with a cookie jar. `createClient()` creates one.
 *
 * @example
 * ```ts
 * const ada = await createClient(app, { data: { userId: 7 } })
 * await ada.get('/cart', { query: { page: '2' } })
 * ```
 */
export class Client<Data = SessionData> {
  /** The cookies of the client. Read them, or add others. */
  readonly jar: CookieJar
  readonly #app: InjectableApp
  readonly #decorator: string | undefined
  readonly #followsRedirects: boolean

  /**
   * `decorator`: the session that `session()` reads. `followsRedirects`: as the option `followRedirects` of `createClient()`.
   */
  constructor(app: InjectableApp, jar: CookieJar = new CookieJar(), decorator?: string, followsRedirects = false) {
    this.jar = jar
    this.#app = app
    this.#decorator = decorator
    this.#followsRedirects = followsRedirects
  }

  /**
   * Sends a request with the cookies of the jar, and stores those of the reply there. A `cookie` header in `options` replaces
   * the cookies of the jar for this request. Rejects as `app.inject()` does.
   *
   * @example
   * ```ts
   * const client = await createClient(app)
   * const reply = await client.inject({ method: 'OPTIONS', url: '/cart' })
   * ```
   */
  async inject(options: InjectOptions | string): Promise<LightMyRequestResponse> {
    let request = typeof options === 'string' ? { url: options } : options
    let reply = await this.#send(request)
    for (let redirects = 0; this.#followsRedirects && redirects < MAX_REDIRECTS; redirects++) {
      const next = followUp(request, reply)
      if (next === undefined) break
      request = next
      reply = await this.#send(request)
    }
    return reply
  }

  /**
   * Sends a GET request. `request`: more of the request, such as `headers` and `query`.
   *
   * @example
   * ```ts
   * const client = await createClient(app)
   * const reply = await client.get('/cart', { headers: { accept: 'application/json' } })
   * ```
   */
  get(url: string, request?: ClientRequest): Promise<LightMyRequestResponse> {
    return this.inject({ ...request, method: 'GET', url })
  }

  /**
   * Sends a POST request. `request`: more of the request, such as the `payload`.
   *
   * @example
   * ```ts
   * const client = await createClient(app)
   * const reply = await client.post('/cart', { payload: { item: 17 } })
   * ```
   */
  post(url: string, request?: ClientRequest): Promise<LightMyRequestResponse> {
    return this.inject({ ...request, method: 'POST', url })
  }

  /**
   * Sends a PUT request.
   *
   * @example
   * ```ts
   * const client = await createClient(app)
   * const reply = await client.put('/cart/17', { payload: { count: 2 } })
   * ```
   */
  put(url: string, request?: ClientRequest): Promise<LightMyRequestResponse> {
    return this.inject({ ...request, method: 'PUT', url })
  }

  /**
   * Sends a PATCH request.
   *
   * @example
   * ```ts
   * const client = await createClient(app)
   * const reply = await client.patch('/cart/17', { payload: { count: 2 } })
   * ```
   */
  patch(url: string, request?: ClientRequest): Promise<LightMyRequestResponse> {
    return this.inject({ ...request, method: 'PATCH', url })
  }

  /**
   * Sends a DELETE request.
   *
   * @example
   * ```ts
   * const client = await createClient(app)
   * const reply = await client.delete('/cart/17')
   * ```
   */
  delete(url: string, request?: ClientRequest): Promise<LightMyRequestResponse> {
    return this.inject({ ...request, method: 'DELETE', url })
  }

  /**
   * Reads the session of the client, as `readSession()` does with the cookies of the jar.
   *
   * @example
   * ```ts
   * const ada = await createClient(app, { data: { userId: 7 } })
   * const { data } = await ada.session()
   * console.log(data?.userId) // 7
   * ```
   */
  session(): Promise<SessionReading<Data>> {
    return readSession<Data>(this.#app, this.jar.header(), { decorator: this.#decorator })
  }

  async #send(request: InjectOptions): Promise<LightMyRequestResponse> {
    const { pathname } = urlOf(request)
    const cookie = this.jar.header(pathname)
    const headers = cookie === '' ? { ...request.headers } : { cookie, ...request.headers }
    const reply = await this.#app.inject({ ...request, headers })
    this.jar.take(reply, pathname)
    return reply
  }
}

/**
 * Creates a client of an application: a browser with its own cookies. With `data`, `ownerId` or `user` it starts with a
 * session, so that a test needs no login form. Rejects with the errors of `sessionCookie()`, and with
 * `ERR_SESSION_OPTION_UNKNOWN` or `ERR_SESSION_OPTION_INVALID` for a wrong option.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 *
 * const ada = await createClient(app, { data: { userId: 7 } })
 * const reply = await ada.post('/cart', { payload: { item: 17 } })
 * const { data } = await ada.session()
 * assert.deepEqual(data?.cart, { 17: 1 })
 * ```
 */
export async function createClient<Data = SessionData>(
  app: InjectableApp,
  options: ClientOptions<Data> = {}
): Promise<Client<Data>> {
  assertKnown(options, OPTIONS, 'createClient()')
  const { data, cookies, followRedirects, ...session } = options
  const given = readOption(cookies, '', 'cookies', 'a string such as a Cookie header', isString)
  const followsRedirects = readOption(followRedirects, false, 'followRedirects', 'true or false', isBoolean)
  const isAnonymous = data === undefined && session.ownerId === undefined && session.user === undefined
  const own = isAnonymous ? '' : await sessionCookie<Data>(app, data ?? {}, session)
  return new Client(app, new CookieJar(`${given}; ${own}`), session.decorator, followsRedirects)
}
