import type { KeyObject } from 'node:crypto'
import { generateKeyPairSync, sign } from 'node:crypto'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'

/** Keys that a device keeps. */
export interface DeviceKeys {
  readonly algorithm: 'ES256' | 'RS256'
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** What a browser has of a session that is bound. */
interface BoundSession {
  readonly identifier: string
  readonly refreshUrl: string
  readonly cookieName: string
  readonly keys: DeviceKeys
  challenge: string | undefined
}

interface Cookie {
  readonly value: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

export function createKeys(algorithm: DeviceKeys['algorithm'] = 'ES256', modulusLength = 2048): DeviceKeys {
  const pair =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength })
  return { algorithm, ...pair }
}

/** Returns a JSON Web Token. */
export function signToken(keys: DeviceKeys, header: object, payload: object): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const signed = `${encode(header)}.${encode(payload)}`
  const key = { key: keys.privateKey, dsaEncoding: 'ieee-p1363' } as const
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`
}

/** Returns the token with which a browser registers a key. */
export function registrationToken(keys: DeviceKeys, challenge: string): string {
  const jwk = keys.publicKey.export({ format: 'jwk' })
  return signToken(keys, { alg: keys.algorithm, typ: 'dbsc+jwt', jwk }, { jti: challenge })
}

/** Returns the token with which a browser proves that it has a key. */
export function refreshToken(keys: DeviceKeys, challenge: string): string {
  return signToken(keys, { alg: keys.algorithm, typ: 'dbsc+jwt' }, { jti: challenge })
}

/** Returns the path and the challenge of an offer; undefined if a reply has none. */
export function offerIn(reply: LightMyRequestResponse): { path: string; challenge: string } | undefined {
  const header = reply.headers['secure-session-registration']
  const [, path, challenge] = /^\(ES256 RS256\);path="([^"]+)";challenge="([^"]+)"$/.exec(String(header)) ?? []
  return path === undefined || challenge === undefined ? undefined : { path, challenge }
}

/** Returns the challenge that a reply has. */
export function challengeIn(reply: LightMyRequestResponse): string | undefined {
  return /^"([^"]+)";id="[^"]+"$/.exec(String(reply.headers['secure-session-challenge']))?.[1]
}

/** A browser that binds sessions, in software, over HTTPS that a proxy in front of the application ends. */
export class DeviceBrowser {
  readonly cookies: Map<string, Cookie> = new Map()
  /** The method, path and status of every request that the browser has sent by itself. */
  readonly ownRequests: string[] = []
  session: BoundSession | undefined
  /** Whether it takes offers. */
  isCapable = true
  readonly #app: FastifyInstance
  readonly #now: () => number
  readonly #algorithm: DeviceKeys['algorithm']

  /** `now`: returns milliseconds since 1970. */
  constructor(app: FastifyInstance, now: () => number, algorithm: DeviceKeys['algorithm'] = 'ES256') {
    this.#app = app
    this.#now = now
    this.#algorithm = algorithm
  }

  /** Another browser with a copy of all cookies, and without the key. */
  stolen(): DeviceBrowser {
    const thief = new DeviceBrowser(this.#app, this.#now)
    for (const [name, cookie] of this.cookies) thief.cookies.set(name, cookie)
    return thief
  }

  cookie(name: string): string | undefined {
    const cookie = this.cookies.get(name)
    return cookie === undefined || cookie.expiresAt <= this.#now() ? undefined : cookie.value
  }

  get header(): string {
    const pairs = [...this.cookies.keys()].map((name) => [name, this.cookie(name)])
    return pairs
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
  }

  /** Sends a request, after a refresh if the short cookie has ended. Then does what the reply asks for. */
  async send(options: InjectOptions): Promise<LightMyRequestResponse> {
    if (this.session !== undefined && this.cookie(this.session.cookieName) === undefined) await this.refresh()
    const reply = await this.sendAsIs(options)
    const offer = offerIn(reply)
    if (offer !== undefined && this.isCapable) await this.register(offer)
    return reply
  }

  get(url: string): Promise<LightMyRequestResponse> {
    return this.send({ url })
  }

  post(url: string, payload: object = {}): Promise<LightMyRequestResponse> {
    return this.send({ method: 'POST', url, payload })
  }

  /** Sends a request, and takes the cookies and the challenge of the reply. */
  async sendAsIs(options: InjectOptions): Promise<LightMyRequestResponse> {
    const headers = { host: 'app.test', 'x-forwarded-proto': 'https', cookie: this.header, ...options.headers }
    const reply = await this.#app.inject({ ...options, headers })
    for (const line of [reply.headers['set-cookie'] ?? []].flat()) this.#take(line)
    const challenge = challengeIn(reply)
    if (this.session !== undefined && challenge !== undefined) this.session.challenge = challenge
    return reply
  }

  async register({ path, challenge }: { path: string; challenge: string }): Promise<LightMyRequestResponse> {
    const keys = createKeys(this.#algorithm)
    const reply = await this.#sendOwn(path, { 'secure-session-response': registrationToken(keys, challenge) })
    if (reply.statusCode === 200) {
      const { session_identifier, refresh_url, credentials } = reply.json()
      this.session = {
        identifier: session_identifier,
        refreshUrl: refresh_url,
        cookieName: credentials[0].name,
        keys,
        challenge: challengeIn(reply)
      }
    }
    return reply
  }

  /** Proves that it has the key; a second time if the challenge that it has is not taken. */
  async refresh(): Promise<LightMyRequestResponse> {
    const first = await this.refreshOnce(this.session?.challenge)
    const reply = first.statusCode === 403 ? await this.refreshOnce(challengeIn(first)) : first
    if (reply.statusCode >= 400 && reply.statusCode < 500 && reply.statusCode !== 403) this.session = undefined
    return reply
  }

  /** Answers a challenge, or asks for one. */
  refreshOnce(challenge: string | undefined): Promise<LightMyRequestResponse> {
    const { identifier, refreshUrl, keys } = this.session as BoundSession
    return this.#sendOwn(refreshUrl, {
      'sec-secure-session-id': `"${identifier}"`,
      ...(challenge === undefined ? {} : { 'secure-session-response': `"${refreshToken(keys, challenge)}"` })
    })
  }

  async #sendOwn(url: string, headers: Record<string, string>): Promise<LightMyRequestResponse> {
    const reply = await this.sendAsIs({ method: 'POST', url, headers })
    this.ownRequests.push(`POST ${url} ${reply.statusCode}`)
    return reply
  }

  #take(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    const maxAge = /; Max-Age=(\d+)/.exec(line)?.[1]
    const expiresAt = maxAge === undefined ? Number.POSITIVE_INFINITY : this.#now() + Number(maxAge) * 1000
    this.cookies.set(name, { value, expiresAt })
  }
}
