import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OpenReason } from '../../types/diagnostics.ts'
import type { MaybePromise } from '../../types/store.ts'
import { applyChanges, diffMembers } from '../data/json-members.ts'
import type { Snapshot } from '../data/snapshot.ts'
import { takeSnapshot } from '../data/snapshot.ts'
import { isBound, withBinding, withDeviceOf, withOffer, withoutDevice } from '../format/device.ts'
import type { Extensions } from '../format/extensions.ts'
import { withoutJudgement, withVersionOf } from '../format/extensions.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import type { TimeoutName } from '../format/timeouts.ts'
import { haveSameTimeouts, withTimeout, withTimeoutsChange, withTimeoutsOf } from '../format/timeouts.ts'
import type { AcceptedData } from '../schema/data-schema.ts'
import type { EndResult } from '../transport/transport.ts'
import { goesOnElsewhere } from './device-binding.ts'
import type { Ending } from './ending.ts'
import { createEnding } from './ending.ts'
import type { SessionDefaults } from './ids.ts'
import type { LoadResult } from './load-result.ts'
import type { ReplyState } from './reply-state.ts'
import { createReplyState } from './reply-state.ts'
import type { RoutePolicy } from './route-config.ts'

/**
 * One session in one request. Only the methods of this class change it: each is one transition. Other files get the type
 * `SessionState`, which they can only read. Times are seconds since 1970.
 */
class State {
  readonly request: FastifyRequest
  policy: RoutePolicy
  /** What the request's cookie opened, or why it does not. */
  openReason: OpenReason
  readonly reply: ReplyState = createReplyState()
  /** Null before the onRequest hook of the plugin. */
  fastifyReply: FastifyReply | null = null
  readonly ending: Ending = createEnding()
  /** What the request's cookie opened. */
  readonly loaded: LoadedRecord | undefined
  /** What older cookies of the request open, which this session outranks. The newest is the first. */
  readonly losers: readonly IdentifiedRecord[]
  /** What the transport has: as it was loaded, then as it was last saved. Undefined for a session that was never saved. */
  persisted: IdentifiedRecord | undefined
  /** A stored session that cannot be read, and that the session of this request takes the place of when it is saved. */
  unreadable: IdentifiedRecord | undefined
  /** The object behind `request.session`: its own properties are the data. Undefined until the first access. */
  session: object | undefined
  createdAt: number
  lastSeenAt: number
  permanent: boolean
  ownerId: string | undefined
  extensions: Extensions
  referenceExtensions: Extensions
  /** Whether no cookie of the request opened a session, or `regenerate()` has begun a new one. */
  isNew: boolean
  /** Whether `regenerate()` has begun a new session in the place of `persisted`, which is still to be ended. */
  regenerated = false
  isDestroyed = false
  /** What the reply waits for after `destroy()`, because an assignment of null cannot. */
  leaving: MaybePromise<void> = undefined
  /** Whether the handler has asked for a new id: for a login, for example. */
  hasRenewed = false
  /** Whether this request counts as activity. */
  touched: boolean
  /** Whether the cookie of the request leads to a session that is gone, and the reply may clear it. */
  isStale: boolean
  /** Whether the application has asked for that. */
  touchCalled = false
  needsRekey: boolean
  /** The persisted data as JSON of the present version of the schema, where the transport has them otherwise. */
  migratedJson: string | undefined
  /** Whether they are to be saved, although the request may leave them alone. */
  needsMigration = false
  /** Whether this server does not know the version of the data, so that it cannot judge them for good. */
  isForeign = false
  /** When the browser last proved that it is the device to which the session is bound. */
  provedAt: number | undefined
  /** Whether the reply is to ask the browser to bind the session. */
  hasOffer = false
  /** Whether a hook or handler of the application has read `request.session`. */
  accessed = false
  /** When the session was loaded, or last compared with what the transport has. */
  verifiedAt: number
  readonly #defaults: SessionDefaults
  /** Whether what the session says of its device is to be saved. */
  #isDeviceAmended = false
  #id: string | undefined
  #snapshot: Snapshot | undefined
  /** The record whose data `#snapshot` holds. */
  #described: IdentifiedRecord | undefined

  /** `now`: when the request came. `seenAt`: of when its activity is, if that is noted. */
  constructor(
    request: FastifyRequest,
    policy: RoutePolicy,
    found: LoadResult,
    defaults: SessionDefaults,
    now: number,
    seenAt: number = now
  ) {
    const { record } = found
    this.request = request
    this.policy = policy
    this.openReason = found.reason
    this.loaded = record
    this.losers = found.losers
    this.persisted = record
    this.createdAt = record?.createdAt ?? now
    this.lastSeenAt = record?.lastSeenAt ?? now
    this.permanent = record?.permanent ?? defaults.permanent
    this.ownerId = record?.ownerId
    this.extensions = record === undefined ? defaults.extensions : record.extensions
    this.referenceExtensions = record?.referenceExtensions
    this.isNew = record === undefined
    this.touched = found.isDue && policy.touch
    this.isStale = found.isStale
    this.needsRekey = found.needsRekey
    this.verifiedAt = now
    this.provedAt = found.provedAt
    if (found.lostKey !== undefined) this.bind(found.lostKey, found.provedAt as number)
    this.#defaults = defaults
    this.#id = record?.id
    if (this.touched) this.seen(seenAt)
  }

  /** The secret that the cookie stands for. Made when it is first needed: most new visitors never get one. */
  get id(): string {
    this.#id ??= this.#defaults.ids.next(undefined)
    return this.#id
  }

  /** What may be shown of the id. */
  get handle(): string {
    return this.#defaults.ids.handleOf(this.id)
  }

  /** The handle, if there is an id already. */
  get knownHandle(): string | undefined {
    return this.#id === undefined ? undefined : this.#defaults.ids.handleOf(this.#id)
  }

  /** Whether the transport knows the session under another id. */
  get hasNewId(): boolean {
    return this.persisted !== undefined && this.persisted.id !== this.#id
  }

  /** Whether what the session says of its device or its timeouts is to be saved. */
  get isAmended(): boolean {
    return this.#isDeviceAmended || !haveSameTimeouts(this.extensions, this.persisted?.extensions)
  }

  /** Whether the cookie opens nothing here, but stays good. Nothing of this request is saved, unless it begins a new session on purpose. */
  get goesOnElsewhere(): boolean {
    return goesOnElsewhere(this.openReason) && !this.hasRenewed
  }

  /** Whether the browser has no cookie of ours yet, because the session is that of another library. */
  get isAdopting(): boolean {
    return this.openReason === 'adopted' && this.needsRekey
  }

  /** The data of `persisted`, if they were noted. */
  get snapshot(): Snapshot | undefined {
    return this.persisted === this.#described ? this.#snapshot : undefined
  }

  answerWith(reply: FastifyReply | null): void {
    this.fastifyReply = reply
  }

  /** The browser may have another cookie by now, which would be cleared with the one that the request has. */
  keepCookie(): void {
    this.isStale = false
  }

  access(): void {
    this.accessed = true
  }

  /** From now on `session` holds the data. `data`: those that were loaded. */
  expose(session: object, data: LoadedRecord['data'] | undefined): void {
    this.session = session
    if (data !== undefined) this.#describe(this.loaded, takeSnapshot(data))
  }

  /** The persisted data were of another version of the schema. */
  accept({ json, extensions, isNewer, needsSave }: AcceptedData): void {
    this.migratedJson = json === this.persisted?.json ? undefined : json
    this.needsMigration = needsSave
    this.isForeign = isNewer
    this.extensions = extensions
  }

  /** Changes go into data whose version this server does not know. */
  changeForeign(): void {
    this.extensions = withoutJudgement(this.extensions)
  }

  /** The loaded data cannot be used: the session is a new one. The stored one stays until this one is saved, or ends. */
  loadedUnusable(reason: 'unreadable' | 'invalid-data', now: number): void {
    const { persisted } = this
    this.openReason = reason
    this.#replace(undefined)
    this.regenerate(now, false)
    this.unreadable = persisted && { ...persisted, json: '{}' }
  }

  touch(): void {
    this.touched = true
    this.touchCalled = true
  }

  /** The transport has not taken the note of this request's activity, which does not try again. */
  leaveUnnoted(): void {
    this.touched = false
    this.needsRekey = false
    this.needsMigration = false
  }

  /** Notes activity at `now`. */
  seen(now: number): void {
    this.lastSeenAt = Math.max(this.lastSeenAt, now)
  }

  setPermanent(permanent: boolean): void {
    this.permanent = permanent
  }

  /** `seconds`: undefined for the timeout of the options. */
  setTimeout(name: TimeoutName, seconds: number | undefined): void {
    this.extensions = withTimeout(this.extensions, name, seconds)
  }

  /** The session has the timeouts that one with these extensions has. */
  takeTimeouts(extensions: Extensions): void {
    this.extensions = withTimeoutsOf(this.extensions, extensions)
  }

  /** Another owner is a change of privilege: an older id must open nothing (session fixation, OWASP ASVS 7.2.4). */
  setOwner(ownerId: string | undefined): void {
    if (ownerId === this.ownerId) return
    this.ownerId = ownerId
    this.renew()
    this.#offerToOwner()
  }

  /** The binding to a device ends with the id that the device knows. A request without proof does not end it. */
  renew(): void {
    this.hasRenewed = true
    this.reply.begin()
    this.#id = this.#defaults.ids.next(this.persisted?.id)
    if (this.provedAt === undefined) return
    this.provedAt = undefined
    this.extensions = withoutDevice(this.extensions)
    this.#offerToOwner()
  }

  /** The browser has proved that it holds `key`. */
  bind(key: string, now: number): void {
    this.extensions = withBinding(this.extensions, { boundAt: now, key })
    this.provedAt = now
    this.hasOffer = false
    this.#isDeviceAmended = true
  }

  /** Returns whether the reply asks the browser to bind the session. */
  bindToDevice(): boolean {
    this.#offer(this.#defaults.device.offer(this.request, this.extensions))
    // What opens it under its present id, such as the cookie of another library, would open it without a proof.
    if (this.hasOffer && this.persisted !== undefined && !this.hasNewId) this.renew()
    return this.hasOffer
  }

  #offerToOwner(): void {
    if (this.ownerId !== undefined) this.#offer(this.#defaults.device.offerToOwner(this.request))
  }

  #offer(at: number | undefined): void {
    const isSaved = this.policy.enabled && !this.isDestroyed && !this.goesOnElsewhere
    if (at === undefined || !isSaved || isBound(this.extensions)) return
    this.extensions = withOffer(this.extensions, at)
    this.hasOffer = true
    this.#isDeviceAmended = true
  }

  /** The extensions of a session that begins in the place of this one. `keepsData`: whether data of the application go on in it. */
  extensionsOfNext(keepsData: boolean): Extensions {
    const { extensions } = this.#defaults
    return keepsData ? withVersionOf(extensions, this.extensions) : extensions
  }

  /** Begins a new session in the place of this one. */
  regenerate(now: number, keepsOwner: boolean, keepsData = false): void {
    const { ownerId, extensions } = this
    // Otherwise a request without proof could take out of a bound session what it holds.
    const staysBound = this.provedAt === undefined && isBound(extensions) && (keepsOwner || keepsData)
    const next = this.extensionsOfNext(keepsData)
    this.renew()
    this.regenerated = true
    this.#begin(now)
    this.extensions = staysBound ? withDeviceOf(next, extensions) : next
    if (!keepsOwner) return
    this.ownerId = ownerId
    this.#offerToOwner()
  }

  /** The session is over: what follows in this request is as if its cookie had opened nothing. */
  over(reason: OpenReason, now: number): void {
    this.openReason = reason
    this.reply.begin()
    this.#replace(undefined)
    this.unreadable = undefined
    this.ending.reset()
    this.regenerated = false
    this.hasRenewed = false
    this.touched = false
    this.needsRekey = false
    this.#id = undefined
    this.#begin(now)
  }

  /** Another header than the cookie says who sends the request: the session stays as it is, and this request has none. */
  setAside(now: number): void {
    this.over('token', now)
    this.policy = { ...this.policy, enabled: false }
    this.isStale = false
  }

  #begin(now: number): void {
    this.isNew = true
    this.createdAt = now
    this.seen(now)
    this.reset()
    this.needsMigration = false
  }

  verified(now: number): void {
    this.verifiedAt = now
  }

  /** `leaving` settles when the browser is not remembered any more. */
  destroy(leaving: MaybePromise<void>): void {
    this.isDestroyed = true
    this.leaving ??= leaving
  }

  /** The transport has nothing to go back to: default permanence, no owner, no extensions but that of the schema. */
  reset(): void {
    this.permanent = this.#defaults.permanent
    this.ownerId = undefined
    this.extensions = this.#defaults.extensions
    this.referenceExtensions = undefined
    this.isForeign = false
    this.#forgetDevice(undefined)
  }

  #forgetDevice(provedAt: number | undefined): void {
    this.provedAt = provedAt
    this.hasOffer = false
    this.#isDeviceAmended = false
  }

  /** `record` takes the place of what this request has changed. */
  reloaded(record: IdentifiedRecord): void {
    this.#replace(record)
    this.regenerated = false
    this.isNew = false
    this.#forgetDevice(record.id === this.#id ? this.provedAt : undefined)
    this.#id = record.id
    this.createdAt = record.createdAt
    this.permanent = record.permanent
    this.ownerId = record.ownerId
    this.extensions = record.extensions
    this.referenceExtensions = record.referenceExtensions
    this.isForeign = false
    this.seen(record.lastSeenAt)
  }

  adopted(record: IdentifiedRecord): void {
    this.reloaded(record)
    this.saved(record, undefined)
    this.isNew = true
  }

  /** `update()` has written `record` in the place of `base`. What this request left alone is as another one may have set it. */
  transacted(base: IdentifiedRecord, record: IdentifiedRecord): void {
    const isMigrated = this.migratedJson !== undefined || this.needsMigration
    const timeouts = withTimeoutsChange(record.extensions, base, this)
    this.#replace(record)
    if (this.permanent === base.permanent) this.permanent = record.permanent
    if (isMigrated || this.extensions === base.extensions) this.extensions = record.extensions
    this.takeTimeouts(timeouts)
    this.seen(record.lastSeenAt)
  }

  /**
   * `record` was saved in the place of `base`; `snapshot` holds its data. An `update()` or `reload()` may have changed `persisted` in
   * the meantime.
   */
  saved(record: IdentifiedRecord, base: IdentifiedRecord | undefined, snapshot?: Snapshot): void {
    const { persisted } = this
    const isUnchanged = base === undefined || persisted === undefined || persisted === base
    this.#replace(
      isUnchanged ? record : { ...record, json: applyChanges(persisted.json, diffMembers(base.json, record.json)) }
    )
    this.#describe(record, snapshot)
    this.unreadable = undefined
    this.needsRekey = false
    this.touched = false
    this.#isDeviceAmended = false
    this.regenerated = false
    this.ending.reset()
    if (base !== undefined && base.id !== record.id) this.#defaults.ids.saved(record.id)
  }

  #describe(record: IdentifiedRecord | undefined, snapshot: Snapshot | undefined): void {
    this.#described = record
    this.#snapshot = snapshot
  }

  ended(result: EndResult): void {
    this.ending.ended(result)
    this.#forget()
  }

  /** The session has made room for the one that `regenerate()` began. In a cookie it is there until another cookie is sent. */
  retired(result: EndResult): void {
    if (result === 'copied') return
    this.ending.retired(result, this.persisted?.ownerId)
    this.#forget()
  }

  #replace(persisted: IdentifiedRecord | undefined): void {
    this.persisted = persisted
    this.migratedJson = undefined
    this.needsMigration = false
  }

  #forget(): void {
    if (this.hasNewId) this.#defaults.ids.saved(this.id)
    this.#replace(undefined)
    this.unreadable = undefined
  }
}

export type SessionState = Readonly<State>
export const SessionState: new (...values: ConstructorParameters<typeof State>) => SessionState = State
