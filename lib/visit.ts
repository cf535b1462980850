import type { FastifyRequest } from 'fastify'
import type { CommitReason, OpenReason } from '../types/diagnostics.ts'
import type { CookieAttributes } from '../types/options.ts'
import type { SessionSize } from '../types/session.ts'
import type { Envelope, OpenEnvelope } from './codec/envelope.ts'
import type { ResolvedAttributes } from './cookie.ts'
import type { RoutePolicy } from './route-config.ts'
import type { SessionLife } from './session.ts'
import { RequestSession } from './session.ts'

/** What a visit asks of the lifecycle that made it. */
export interface VisitHost {
  readonly permanent: boolean
  now(): number
  newId(): string
  expiresAt(createdAt: number, stampedAt: number): number
  commit(visit: Visit): Promise<void>
  size(visit: Visit): SessionSize
  setCookieAttributes(visit: Visit, attributes: Partial<CookieAttributes>): void
}

/** One session on one request: what came in, what has become of it, what was sent. */
export class Visit implements SessionLife {
  readonly request: FastifyRequest
  readonly policy: RoutePolicy
  readonly session: RequestSession
  readonly openReason: OpenReason
  /** What the browser's cookie stands for: as it came, then as it was last sent. */
  held: Envelope | undefined
  /** Whether the cookie that came is to be sent again under the newest key. */
  outdated = false
  /** Whether a handler looked, rather than the lifecycle for its own purposes. */
  looked = false
  createdAt: number
  stampedAt: number
  permanent: boolean
  ownerId: string | undefined
  isNew: boolean
  touched = false
  status: 'alive' | 'destroyed' = 'alive'
  /** The Set-Cookie line of this reply, once there is one. */
  line: string | undefined
  /** What the last commit decided. */
  commitReason: CommitReason | undefined
  /** Why the session could not be sent: the request has failed with it already. */
  failure: CommitReason | undefined
  /** Whether the reply has ended. */
  isOver = false
  /** Whether somebody was told that a change, or a write to a session that keeps nothing, is lost. */
  isTold = false
  /** The data as JSON, when the lifecycle last looked. */
  json = '{}'
  /** The attributes of this reply's cookie, where the handler changed them. */
  attributes: ResolvedAttributes | undefined
  readonly #host: VisitHost
  #id: string | undefined

  constructor(
    host: VisitHost,
    request: FastifyRequest,
    policy: RoutePolicy,
    openReason: OpenReason,
    envelope: OpenEnvelope | undefined
  ) {
    this.#host = host
    this.request = request
    this.policy = policy
    this.openReason = openReason
    this.held = envelope
    this.isNew = envelope === undefined
    this.#id = envelope?.id
    this.createdAt = envelope?.createdAt ?? host.now()
    this.stampedAt = envelope?.stampedAt ?? this.createdAt
    this.permanent = envelope?.permanent ?? host.permanent
    this.ownerId = envelope?.ownerId
    this.session = new RequestSession(this, envelope?.data)
  }

  /** Made when it is first needed: most new visitors never get one. */
  get id(): string {
    this.#id ??= this.#host.newId()
    return this.#id
  }

  set id(id: string) {
    this.#id = id
  }

  /** The id if there is one already. */
  get knownId(): string | undefined {
    return this.#id
  }

  restart(): void {
    this.#id = this.#host.newId()
    this.isNew = true
    this.createdAt = this.#host.now()
    this.stampedAt = this.createdAt
    this.permanent = this.#host.permanent
    this.ownerId = undefined
  }

  newId(): string {
    return this.#host.newId()
  }

  expiresAt(): number {
    return this.#host.expiresAt(this.createdAt, this.stampedAt)
  }

  commit(): Promise<void> {
    return this.#host.commit(this)
  }

  async reload(): Promise<Record<string, unknown>> {
    const { held } = this
    if (held === undefined || this.status === 'destroyed') return {}
    this.#id = held.id
    this.createdAt = held.createdAt
    this.stampedAt = held.stampedAt
    this.permanent = held.permanent
    this.ownerId = held.ownerId
    return JSON.parse(held.json)
  }

  size(): SessionSize {
    return this.#host.size(this)
  }

  setCookieAttributes(attributes: Partial<CookieAttributes>): void {
    this.#host.setCookieAttributes(this, attributes)
  }

  get hasData(): boolean {
    return Object.keys(this.session).length > 0
  }

  envelope(): Envelope {
    const { id, createdAt, stampedAt, permanent, ownerId, json } = this
    return { id, createdAt, stampedAt, permanent, ownerId, json }
  }
}
