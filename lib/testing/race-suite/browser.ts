import assert from 'node:assert/strict'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Action, Data, Job, JobBody, Step } from './app.ts'
import type { Gates } from './gates.ts'
import { cookieValue } from './reply.ts'

/** A request that has its session and waits in its handler. */
export interface HeldRequest {
  /** Lets the request continue, and returns its reply. */
  release(): Promise<LightMyRequestResponse>
}

/** One browser. It sends its requests to the applications in turn, with the cookie that the last reply set. */
export class Browser {
  readonly #apps: readonly FastifyInstance[]
  readonly #gates: Gates
  #token: string
  #turn = 0

  /** `token`: the value of its session cookie. Default: no cookie. */
  constructor(apps: readonly FastifyInstance[], gates: Gates, token = '') {
    this.#apps = apps
    this.#gates = gates
    this.#token = token
  }

  /** Returns a second browser with the present cookie. */
  copy(): Browser {
    return new Browser(this.#apps, this.#gates, this.#token)
  }

  /** Takes the session cookie of a reply over. */
  take(reply: LightMyRequestResponse): void {
    this.#token = cookieValue(reply) ?? this.#token
  }

  async send(action: Action, job: Job = {}): Promise<LightMyRequestResponse> {
    const reply = await this.#inject(action, job)
    this.take(reply)
    return reply
  }

  async read(): Promise<Data> {
    return (await this.send('read')).json()
  }

  write(set: Data, unset: readonly string[] = []): Promise<LightMyRequestResponse> {
    return this.send('write', { set, unset })
  }

  /** Logs in, checks that the cookie opens a session, and returns a copy of the browser with that cookie. */
  async logIn(): Promise<Browser> {
    await this.send('login')
    assert.notDeepEqual(await this.read(), {}, 'a login creates a session')
    return this.copy()
  }

  logOut(): Promise<LightMyRequestResponse> {
    return this.send('destroy')
  }

  /** Sends a request that waits in its handler until it is released. */
  async hold(action: Action, job: Job = {}): Promise<HeldRequest> {
    const gate = this.#gates.add()
    const sent = this.#inject(action, { ...job, gate })
    // A request that fails before its handler never arrives at the gate. Its reply says so.
    await Promise.race([this.#gates.arrived(gate), sent])
    return {
      release: async () => {
        this.#gates.open(gate)
        const reply = await sent
        this.take(reply)
        return reply
      }
    }
  }

  /** Sends requests that all load their session before the first of them continues. */
  async sendInParallel(steps: readonly Step[]): Promise<LightMyRequestResponse[]> {
    const held: HeldRequest[] = []
    for (const [action, job] of steps) held.push(await this.hold(action, job))
    return Promise.all(held.map((request) => request.release()))
  }

  #inject(action: Action, body: JobBody): Promise<LightMyRequestResponse> {
    const app = this.#apps[this.#turn++ % this.#apps.length] as FastifyInstance
    const headers = this.#token === '' ? {} : { cookie: `session=${this.#token}` }
    return app.inject({ method: 'POST', url: `/${action}`, headers, payload: body })
  }
}
