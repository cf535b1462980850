import type { FastifyRequest } from 'fastify'
import type { CommitReason, OpenReason } from '../../types/diagnostics.ts'
import type { CookieAttributes } from '../../types/options.ts'
import type { SessionSize } from '../../types/session.ts'
import type { ResolvedAttributes } from '../cookie/attributes.ts'
import { changesTo } from '../data/json-members.ts'
import type { Comparison, Snapshot } from '../data/snapshot.ts'
import { compareWithSnapshot, takeSnapshot } from '../data/snapshot.ts'
import { assertMembersStorable, assertStorable, assertStorableWithin, isSameJson, toJson } from '../data/storable.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import { PatchedRecord } from '../transport/patched-record.ts'
import type { SaveContext } from '../transport/transport.ts'
import type { RoutePolicy } from './route-config.ts'
import type { ChangeData, SessionLife, Values } from './session.ts'
import { RequestSession } from './session.ts'

const NONE: readonly string[] = []

/** What a visit asks of the lifecycle that made it. */
export interface SessionHost {
  readonly permanent: boolean
  now(): number
  newId(): string
  handleOf(id: string): string
  /** The session has an id now that its store does not know yet. */
  noteRename(visit: SessionState): void
  /** Ends what is held, as far as it is within reach. */
  end(visit: SessionState): Promise<void>
  isShared(visit: SessionState): boolean
  amend(visit: SessionState, change: ChangeData): Promise<Values>
  /** What is held now of a visit that holds something, or a rejection with `ERR_SESSION_GONE`. */
  latest(visit: SessionState): Promise<IdentifiedRecord>
  expiresAt(createdAt: number, lastSeenAt: number): number
  commit(visit: SessionState): Promise<void>
  size(visit: SessionState): SessionSize
  setCookieAttributes(visit: SessionState, attributes: Partial<CookieAttributes>): void
}

/** One session on one request: what came in, what has become of it, what was sent. */
export class SessionState implements SessionLife, SaveContext {
  readonly request: FastifyRequest
  readonly policy: RoutePolicy
  readonly openReason: OpenReason
  /** What the browser's cookie stands for: as it came, then as it was last sent. */
  held: IdentifiedRecord | undefined
  /** Whether the cookie that came is to be sent again under the newest key. */
  outdated = false
  /** Whether a handler looked, rather than the lifecycle for its own purposes. */
  looked = false
  createdAt: number
  lastSeenAt: number
  permanent: boolean
  ownerId: string | undefined
  isNew: boolean
  /** Whether it began anew on this request, so that nothing moves along from what was held. */
  restarted = false
  touched = false
  status: 'alive' | 'destroyed' = 'alive'
  /** The Set-Cookie line of this reply, once there is one. */
  line: string | undefined
  /** What the last commit decided. */
  commitReason: CommitReason | undefined
  /** Why the session could not be sent: the request has failed with it already. */
  failure: CommitReason | undefined
  /** A save that is under way. */
  saving: Promise<void> | undefined
  /** Whether the reply has ended. */
  isOver = false
  /** The attributes of this reply's cookie, where the handler changed them. */
  attributes: ResolvedAttributes | undefined
  readonly #host: SessionHost
  #isTold = false
  #id: string | undefined
  readonly #opened: LoadedRecord | undefined
  #snapshot: Snapshot | undefined
  /** How the data compared with what is held, when the lifecycle last asked. */
  #comparison: Comparison = 'unknown'
  /** The data as JSON, if that did not tell. */
  #json = '{}'
  #session: RequestSession | undefined

  constructor(
    host: SessionHost,
    request: FastifyRequest,
    policy: RoutePolicy,
    openReason: OpenReason,
    envelope: LoadedRecord | undefined
  ) {
    this.#host = host
    this.request = request
    this.policy = policy
    this.openReason = openReason
    this.held = envelope
    this.isNew = envelope === undefined
    this.#id = envelope?.id
    this.createdAt = envelope?.createdAt ?? host.now()
    this.lastSeenAt = envelope?.lastSeenAt ?? this.createdAt
    this.permanent = envelope?.permanent ?? host.permanent
    this.ownerId = envelope?.ownerId
    this.#opened = envelope
  }

  get session(): RequestSession {
    if (this.#session === undefined) {
      const data = this.#opened?.data
      this.#snapshot = data && takeSnapshot(data)
      this.#session = new RequestSession(this, data)
    }
    return this.#session
  }

  /** Whether the object was made: without it no data can have changed. */
  get hasSession(): boolean {
    return this.#session !== undefined
  }

  /** Made when it is first needed: most new visitors never get one. */
  get id(): string {
    this.#id ??= this.#host.newId()
    return this.#id
  }

  get handle(): string {
    return this.#host.handleOf(this.id)
  }

  /** The handle if there is an id already. */
  get knownHandle(): string | undefined {
    return this.#id === undefined ? undefined : this.#host.handleOf(this.#id)
  }

  get isShared(): boolean {
    return this.#host.isShared(this)
  }

  /** Another owner is a change of privilege: an id from before must be worth nothing (session fixation). */
  setOwner(ownerId: string | undefined): void {
    if (ownerId === this.ownerId) return
    this.ownerId = ownerId
    this.renew()
  }

  restart(): void {
    this.renew()
    this.isNew = true
    this.restarted = true
    this.createdAt = this.#host.now()
    this.lastSeenAt = this.createdAt
    this.permanent = this.#host.permanent
    this.ownerId = undefined
  }

  renew(): void {
    this.#id = this.#host.newId()
    this.#host.noteRename(this)
  }

  end(): Promise<void> {
    return this.#host.end(this)
  }

  expiresAt(): number {
    return this.#host.expiresAt(this.createdAt, this.lastSeenAt)
  }

  commit(): Promise<void> {
    return this.#host.commit(this)
  }

  async reload(): Promise<Values> {
    if (this.status === 'destroyed') return {}
    if (!this.isShared && this.held === undefined) {
      this.permanent = this.#host.permanent
      this.ownerId = undefined
      return {}
    }
    const latest = await this.#host.latest(this)
    this.held = latest
    this.restarted = false
    this.isNew = false
    this.#id = latest.id
    this.createdAt = latest.createdAt
    this.lastSeenAt = Math.max(this.lastSeenAt, latest.lastSeenAt)
    this.permanent = latest.permanent
    this.ownerId = latest.ownerId
    return JSON.parse(latest.json)
  }

  amend(change: ChangeData): Promise<Values> {
    return this.#host.amend(this, change)
  }

  size(): SessionSize {
    return this.#host.size(this)
  }

  setCookieAttributes(attributes: Partial<CookieAttributes>): void {
    this.#host.setCookieAttributes(this, attributes)
  }

  /** A change, or a write to a session that keeps nothing, is lost: it is enough to say so once. */
  warnOnce(tell: () => void): void {
    if (!this.#isTold) tell()
    this.#isTold = true
  }

  get hasData(): boolean {
    return this.hasSession && Object.keys(this.session).length > 0
  }

  /** Whether the data differ from what is held. What they are now is what `envelope` gives until this is asked again. */
  compare(): boolean {
    const { held } = this
    this.#comparison = this.#compareWithSnapshot()
    if (this.#comparison !== 'unknown') return this.#comparison.length > 0
    this.#json = toJson(this.session)
    return held === undefined || !isSameJson(held.json, this.#json)
  }

  /** Whether there were no data when they were compared. */
  get isEmpty(): boolean {
    return this.#comparison === 'unknown' ? this.#json === '{}' : this.held?.json === '{}'
  }

  /** Refuses data that JSON cannot hold, after they were compared: all members, and what is inside those that have changed. */
  assertStorable(hasChanged: boolean): void {
    if (this.#session === undefined) return
    if (hasChanged && this.#comparison === 'unknown') {
      assertStorable(this.#session)
      return
    }
    assertMembersStorable(this.#session)
    if (this.#comparison !== 'unknown') assertStorableWithin(this.#session, this.#comparison)
  }

  /** The session that the browser had before this one began anew on the same request. */
  get replaced(): IdentifiedRecord | undefined {
    return this.restarted ? this.held : undefined
  }

  /** What is to be kept, as it was when it was compared. */
  envelope(): IdentifiedRecord {
    if (this.#comparison === 'unknown') return this.envelopeOf(this.#json)
    const before = this.envelopeOf((this.held as IdentifiedRecord).json)
    return this.#comparison.length === 0 ? before : new PatchedRecord(before, changesTo(this.session, this.#comparison))
  }

  /** What would be kept if the data were these. */
  envelopeOf(json: string): IdentifiedRecord {
    const { id, createdAt, lastSeenAt, permanent, ownerId } = this
    return { id, createdAt, lastSeenAt, permanent, ownerId, json }
  }

  /** How the data compare with those that came, as far as can be told without their JSON. */
  #compareWithSnapshot(): Comparison {
    if (this.held === undefined) return 'unknown'
    if (this.#session === undefined) return NONE
    if (this.#snapshot === undefined || this.held !== this.#opened) return 'unknown'
    return compareWithSnapshot(this.#session, this.#snapshot)
  }
}
