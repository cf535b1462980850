import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LoginState } from './login-state.ts'
import type { RememberCookie } from './remember-cookie.ts'
import type { Remembered, RememberTokens } from './remember-tokens.ts'

/** What remembers logins. */
export interface Remember {
  readonly tokens: RememberTokens
  readonly cookie: RememberCookie
}

/** The browser of a request, as far as it is remembered. */
export class RememberedBrowser {
  readonly #remember: Remember
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #tellTheft: (userId: string) => void
  #tokens: readonly string[] | undefined
  /** What the reply says, if anything. */
  #line: string | undefined

  constructor(remember: Remember, request: FastifyRequest, reply: FastifyReply, tellTheft: (userId: string) => void) {
    this.#remember = remember
    this.#request = request
    this.#reply = reply
    this.#tellTheft = tellTheft
  }

  /** Whether it says that somebody is remembered, true or not. */
  get hasTokens(): boolean {
    return this.#sent.length > 0
  }

  /** Who is remembered: what the first token says whose series has not ended. */
  async find(): Promise<Remembered | undefined> {
    for (const token of this.#sent) {
      const found = await this.#look(token)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Begins a series that nobody can use until its token is sent. */
  async begin(userId: string, hash: string | undefined): Promise<{ readonly series: string; readonly token: string }> {
    const token = await this.#remember.tokens.issue(userId, hash)
    return { series: this.#remember.tokens.keyOf(token), token }
  }

  /** Sends the token that takes the place of one. False when its series has ended. */
  async rotate(token: string): Promise<boolean> {
    const next = await this.#remember.tokens.rotate(token)
    if (next !== undefined) this.send(next)
    return next !== undefined
  }

  /** Ends what remembers it, whoever it was that it remembers. `state`: the login of its session. */
  async forget(state: LoginState | undefined): Promise<void> {
    const { tokens } = this.#remember
    if (state?.series !== undefined) await tokens.end(state.series, state.id)
    for (const token of this.#sent) {
      const found = await this.#look(token)
      if (found !== undefined) await tokens.end(found.key, found.userId)
    }
    if (this.hasTokens || this.#line !== undefined) this.send(undefined)
  }

  /** Without a token: that it shall forget the one it has. */
  send(token: string | undefined): void {
    this.#line = this.#remember.cookie.write(this.#request, this.#reply, token, this.#line)
  }

  async #look(token: string): Promise<Remembered | undefined> {
    const found = await this.#remember.tokens.find(token)
    if (!found?.isStolen) return found
    this.#tellTheft(found.userId)
    return undefined
  }

  get #sent(): readonly string[] {
    this.#tokens ??= this.#remember.cookie.read(this.#request)
    return this.#tokens
  }
}
