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

/** As browsers do (Fetch standard, HTTP-redirect fetch). */
const MAX_REDIRECTS = 20

const OPTIONS: readonly string[] = [...SESSION_COOKIE_OPTIONS, 'data', 'cookies', 'followRedirects']

/** An application, or a scope of one, that can be asked without a network. */
export interface InjectableApp extends AnyApp {
  inject(options: InjectOptions): Promise<LightMyRequestResponse>
}

/** What a client comes with. */
export interface ClientOptions<Data = SessionData> extends SessionCookieOptions {
  /** The data of its session, as for `sessionCookie()`. Default: none, and without `ownerId` or `user` no session either. */
  readonly data?: SessionValues<Data> | undefined
  /** Other cookies that it has, as in a `Cookie` header. Default: none. */
  readonly cookies?: string | undefined
  /** Whether it goes where replies send it, within the application. Default `false`: a test sees the redirect. */
  readonly followRedirects?: boolean | undefined
}

/** What `app.inject()` takes, but for what the method of the client says. */
export type ClientRequest = Omit<InjectOptions, 'method' | 'url' | 'path'>

/** A browser as far as cookies go: `app.inject()` with a jar. */
export class Client<Data = SessionData> {
  /** The cookies that go along, for a look at them and to slip others in. */
  readonly jar: CookieJar
  readonly #app: InjectableApp
  readonly #decorator: string | undefined
  readonly #followsRedirects: boolean

  constructor(app: InjectableApp, jar: CookieJar = new CookieJar(), decorator?: string, followsRedirects = false) {
    this.jar = jar
    this.#app = app
    this.#decorator = decorator
    this.#followsRedirects = followsRedirects
  }

  /** `app.inject()` with the cookies of the jar, which takes those of the reply. A `cookie` header of yours goes instead. */
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

  /** `inject()` by GET. `request`: what there is to say besides, such as `headers` and `query`. */
  get(url: string, request?: ClientRequest): Promise<LightMyRequestResponse> {
    return this.inject({ ...request, method: 'GET', url })
  }

  /** `inject()` by POST. `request`: what there is to say besides, such as the `payload`. */
  post(url: string, request?: ClientRequest): Promise<LightMyRequestResponse> {
    return this.inject({ ...request, method: 'POST', url })
  }

  /** `inject()` by PUT. */
  put(url: string, request?: ClientRequest): Promise<LightMyRequestResponse> {
    return this.inject({ ...request, method: 'PUT', url })
  }

  /** `inject()` by PATCH. */
  patch(url: string, request?: ClientRequest): Promise<LightMyRequestResponse> {
    return this.inject({ ...request, method: 'PATCH', url })
  }

  /** `inject()` by DELETE. */
  delete(url: string, request?: ClientRequest): Promise<LightMyRequestResponse> {
    return this.inject({ ...request, method: 'DELETE', url })
  }

  /** The session that the cookies of the jar stand for now, as `readSession()` gives it. */
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
 * A browser of its own: what replies set goes along with its next request, and with nobody else's. With `data`, `ownerId` or
 * `user` it comes with a session, so that it is logged in without a login form. Errors are those of `sessionCookie()`.
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
