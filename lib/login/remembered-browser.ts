import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LoginState } from './login-state.ts'
import type { RememberCookie } from './remember-cookie.ts'
import type { BeginSession, Issued, Remembered, RememberTokens, Rotation } from './remember-tokens.ts'

/** How a login kit remembers logins: the tokens in the store, and the cookie in the browser. */
export interface Remember {
  readonly tokens: RememberTokens
  readonly cookie: RememberCookie
}

/** The browser of a request: which login it remembers, and what the reply tells it. */
export class RememberedBrowser {
  readonly #remember: Remember
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #onTheft: (userId: string) => void
  #tokens: readonly string[] | undefined
  /** The Set-Cookie line of the reply. */
  #line: string | undefined

  constructor(remember: Remember, request: FastifyRequest, reply: FastifyReply, onTheft: (userId: string) => void) {
    this.#remember = remember
    this.#request = request
    this.#reply = reply
    this.#onTheft = onTheft
  }

  /** Whether the browser sent a token. The token may be out of date. */
  get hasTokens(): boolean {
    return this.#sent.length > 0
  }

  /** Whether the headers of the reply are sent, so that the browser gets no cookie any more. */
  get isAnswered(): boolean {
    return this.#reply.raw.headersSent
  }

  /** Returns the remembered login: what the first token says whose series has not ended. */
  async find(): Promise<Remembered | undefined> {
    for (const token of this.#sent) {
      const found = await this.#find(token)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Whether a series goes on. `series`: its key. */
  isRemembered(series: string): Promise<boolean> {
    return this.#remember.tokens.isLive(series)
  }

  /** Starts a series. Nobody can use it until `send` has sent its token. */
  begin(userId: string, hash: string | undefined, client: string | undefined): Promise<Issued> {
    return this.#remember.tokens.issue(userId, hash, client)
  }

  /** Replaces a token and sends the new one. Returns undefined if its series has ended. */
  async rotate(token: string, begin: BeginSession): Promise<Rotation | undefined> {
    const rotation = await this.#remember.tokens.rotate(token, begin)
    if (rotation !== undefined) this.send(rotation.token)
    return rotation
  }

  /**
   * Ends every series that this browser has a token of, and the series of `login`, the login of its session. Clears the cookie.
   * `kept`: the key of a session that stays.
   */
  async forget(login: LoginState | undefined, kept?: string): Promise<void> {
    const { tokens } = this.#remember
    if (login?.series !== undefined) await tokens.end(login.series, login.id, kept)
    for (const token of this.#sent) {
      const found = await this.#find(token)
      if (found !== undefined) await tokens.end(found.key, found.userId, kept)
    }
    if (this.hasTokens || this.#line !== undefined) this.send(undefined)
  }

  /** Sends a token; clears the cookie if there is none. */
  send(token: string | undefined): void {
    this.#line = this.#remember.cookie.write(this.#request, this.#reply, token, this.#line)
  }

  async #find(token: string): Promise<Remembered | undefined> {
    const found = await this.#remember.tokens.find(token)
    if (!found?.isStolen) return found
    this.#onTheft(found.userId)
    return undefined
  }

  get #sent(): readonly string[] {
    this.#tokens ??= this.#remember.cookie.read(this.#request)
    return this.#tokens
  }
}
