import type { SessionEndedEvent, SessionEnding } from '../../types/endings.ts'
import type { RawRequest, RawSession } from '../../types/raw-session.ts'
import type { DeviceBinding } from '../../types/session.ts'
import type { OwnedSession, SessionEntry, SessionPage, Sessions } from '../../types/sessions.ts'
import type { MaybePromise, SessionStore, StoredRecord } from '../../types/store.ts'
import { parseStored } from '../data/storable.ts'
import type { Endings } from '../endings/endings.ts'
import { EVERYTHING, endingOf, endingOfAll } from '../endings/endings.ts'
import { InvalidValueError, RevocationsRequiredError, StoreRequiredError } from '../errors.ts'
import { readBinding, readNotedProof } from '../format/device.ts'
import type { Extensions } from '../format/extensions.ts'
import { assertNoCallback } from '../util/check.ts'
import { SITE } from '../util/site.ts'
import { countEvery, endEvery, pageOf } from './every-session.ts'
import type { HandleAliases } from './handle-aliases.ts'
import { assertOwnerId } from './owner-id.ts'

const MAX_PASSES = 10
/** What only a store can do. */
const LISTING: readonly string[] = ['list()', 'count()', 'entries()']
/** What a handle looks like, and every key of a store that is a digest. */
export const HANDLE: RegExp = /^[A-Za-z0-9_-]{43}$/

/** Another way to start a session, such as a remembered login: it must end together with the sessions. */
export interface Companion {
  endWith(key: string): MaybePromise<void>
  /** `kept`: the key of the session that stays. */
  endAllOf(ownerId: string, kept: string | undefined): MaybePromise<void>
  /** The browser of a request is not to be logged in again. Absent where there are no requests. */
  leave?(request: object): MaybePromise<void>
}

/** Ends sessions that are in cookies. */
export interface Revoker {
  /** An unknown handle is no error. */
  revoke(handle: string): Promise<void>
  /** `except`: the handles of the sessions that stay. */
  revokeOwner(ownerId: string, except: readonly string[]): Promise<void>
  revokeEverything(): Promise<void>
}

/** Returns the session of a request that Fastify has not seen. */
type ReadRaw = (request: RawRequest) => Promise<RawSession | undefined>

/** Returns the keys that the session under an old key may have now. */
type SuccessorsOf = (key: string) => MaybePromise<readonly string[]>

const NO_KEYS: readonly string[] = []

/** What `revokeAll` returns where nobody can count. */
const UNKNOWN = Number.NaN

/** The sessions of owners. A handle is the key that the store has for a session, or the id of one in a cookie. */
export class OwnerSessions implements Sessions {
  readonly #store: SessionStore | undefined
  readonly #renamed: HandleAliases
  readonly #endings: Endings
  readonly #successorsOf: SuccessorsOf
  readonly #revoker: Revoker | undefined
  readonly #readRaw: ReadRaw
  #companion: Companion | undefined

  /** `revoker`: where the sessions are in cookies, and can be ended all the same. `readRaw`: where there are requests. */
  constructor(
    store: SessionStore | undefined,
    renamed: HandleAliases,
    endings: Endings,
    successorsOf: SuccessorsOf = async () => NO_KEYS,
    revoker?: Revoker,
    readRaw: ReadRaw = async () => undefined
  ) {
    this.#store = store
    this.#renamed = renamed
    this.#endings = endings
    this.#successorsOf = successorsOf
    this.#revoker = revoker
    this.#readRaw = readRaw
  }

  get store(): SessionStore | undefined {
    return this.#store
  }

  join(companion: Companion): void {
    this.#companion = companion
  }

  /** Returns the key that the store has for a session. */
  keyOf(handle: string): string {
    return this.#renamed.resolve(handle)
  }

  leave(request: object): MaybePromise<void> {
    return this.#companion?.leave?.(request)
  }

  /** This process has ended a session. */
  announce(ending: SessionEnding): void {
    this.#endings.announce(ending)
  }

  onEnded(listener: (event: SessionEndedEvent) => unknown): () => void {
    if (typeof listener !== 'function') {
      throw new InvalidValueError(`app.sessions.onEnded() takes a function; it got a ${typeof listener}.`)
    }
    return this.#endings.listen(listener)
  }

  // The public methods are not async, so that a callback is refused at once: nobody waits for a promise who passes one.

  list(ownerId: string, options: { readonly current?: string } = {}, ...others: unknown[]): Promise<OwnedSession[]> {
    assertNoCallback('app.sessions.list()', [options, ...others])
    return this.#list(ownerId, options.current)
  }

  count(...others: unknown[]): Promise<number> {
    assertNoCallback('app.sessions.count()', others)
    return this.#count()
  }

  entries(options: Parameters<Sessions['entries']>[0] = {}, ...others: unknown[]): Promise<SessionPage> {
    assertNoCallback('app.sessions.entries()', [options, ...others])
    return this.#entries(options)
  }

  revoke(handle: string, ...others: unknown[]): Promise<void> {
    assertNoCallback('app.sessions.revoke()', others)
    return this.#revoke(handle)
  }

  revokeAll(ownerId: string, options: { readonly except?: string } = {}, ...others: unknown[]): Promise<number> {
    assertNoCallback('app.sessions.revokeAll()', [options, ...others])
    return this.#revokeAll(ownerId, options.except)
  }

  revokeEverything(...others: unknown[]): Promise<void> {
    assertNoCallback('app.sessions.revokeEverything()', others)
    return this.#revokeEverything()
  }

  ofRaw(request: RawRequest, ...others: unknown[]): Promise<RawSession | undefined> {
    assertNoCallback('app.sessions.ofRaw()', others)
    return this.#readRaw(request)
  }

  async #list(ownerId: string, current: string | undefined): Promise<OwnedSession[]> {
    const store = this.#require('list()')
    assertOwnerId(ownerId, 'list()')
    const records = await store.list(ownerId)
    const marked = current && this.#renamed.resolve(current)
    return records.sort((a, b) => b.lastSeenAt - a.lastSeenAt).map((record) => toOwnedSession(record, marked))
  }

  async #count(): Promise<number> {
    return countEvery(this.#require('count()'))
  }

  async #entries({ cursor, limit, current }: NonNullable<Parameters<Sessions['entries']>[0]>): Promise<SessionPage> {
    const { found, next } = await pageOf(this.#require('entries()'), cursor, limit)
    const marked = current && this.#renamed.resolve(current)
    const toEntry = (record: StoredRecord): SessionEntry => ({
      ...toOwnedSession(record, marked),
      ownerId: record.ownerId
    })
    return { entries: found.map(toEntry), cursor: next }
  }

  async #revoke(handle: string): Promise<void> {
    if (this.#revoker === undefined) this.#require('revoke()')
    if (typeof handle !== 'string') {
      throw new InvalidValueError(`revoke() takes the handle of a session, which is its id; it got a ${typeof handle}.`)
    }
    await (this.#revoker === undefined ? this.#revokeStored(handle) : this.#revokeSealed(this.#revoker, handle))
  }

  async #revokeStored(handle: string): Promise<void> {
    // It may come from a form: only a text with the form of a key reaches the store.
    if (!HANDLE.test(handle)) return
    const store = this.#require('revoke()')
    const key = this.#renamed.resolve(handle)
    await this.#end(store, key)
    // The session may have got a new id since its handle was shown. One that is getting it may have that of the handle by now.
    const others = handle === key ? [] : [handle]
    for (const other of [...others, ...(await this.#successorsOf(key))]) await this.#end(store, other)
  }

  async #revokeSealed(revoker: Revoker, handle: string): Promise<void> {
    for (const id of this.#namesOf(handle)) await revoker.revoke(id)
  }

  /** A session that is getting a new id may have either. */
  #namesOf(handle: string): readonly string[] {
    return [...new Set([this.#renamed.resolve(handle), handle])]
  }

  async #end(store: SessionStore, key: string): Promise<void> {
    // Before the session: otherwise a request in between could start a new one.
    await this.#companion?.endWith(key)
    await store.destroy(key)
    this.#endings.announce(endingOf(key, 'revoked'))
  }

  async #revokeAll(ownerId: string, except: string | undefined): Promise<number> {
    if (this.#revoker !== undefined) {
      assertOwnerId(ownerId, 'revokeAll()')
      await this.#revoker.revokeOwner(ownerId, except === undefined ? [] : this.#namesOf(except))
      return UNKNOWN
    }
    const store = this.#require('revokeAll()')
    assertOwnerId(ownerId, 'revokeAll()')
    const kept = except && this.#renamed.resolve(except)
    await this.#companion?.endAllOf(ownerId, kept)
    let ended = 0
    // A session that is getting a new id exists under the new one before the old one is removed, so an empty list means that
    // none is left.
    for (let pass = 1; pass <= MAX_PASSES; pass++) {
      ended += await store.destroyAll(ownerId, kept)
      if ((await store.list(ownerId)).every(({ key }) => key === kept)) break
    }
    this.#endings.announce(endingOfAll(ownerId, kept === undefined ? [] : [kept]))
    return ended
  }

  async #revokeEverything(): Promise<void> {
    if (this.#revoker !== undefined) return this.#revoker.revokeEverything()
    if (this.#store === undefined) {
      throw new RevocationsRequiredError(
        `revokeEverything() needs the option revocations, or a store. Without them, a new secret in the place of all others ends every session: ${SITE}/revocation#everything`
      )
    }
    // Series of remembered logins are among the records.
    await endEvery(this.#store)
    this.#endings.announce(EVERYTHING)
  }

  #require(method: string): SessionStore {
    if (this.#store !== undefined) return this.#store
    const others = LISTING.includes(method) ? '' : ', or the option revocations, for example to new MemoryRevocations()'
    throw new StoreRequiredError(
      `${method} needs a store: without one, sessions exist only in cookies, and the server does not know which there are. Set the option store, for example to new MemoryStore()${others}.`
    )
  }
}

function toOwnedSession(record: StoredRecord, current: string | undefined): OwnedSession {
  return {
    handle: record.key,
    createdAt: new Date(record.createdAt * 1000),
    lastSeenAt: new Date(record.lastSeenAt * 1000),
    expiresAt: new Date(record.expiresAt * 1000),
    current: record.key === current,
    device: readDevice(record.extensions),
    description: readDescription(record)
  }
}

function readDevice(extensions: Extensions): DeviceBinding | undefined {
  const binding = readBinding(extensions)
  if (binding === undefined) return undefined
  const { boundAt } = binding
  const lastProofAt = readNotedProof(extensions) ?? boundAt
  return { boundAt: new Date(boundAt * 1000), lastProofAt: new Date(lastProofAt * 1000) }
}

/** One that was damaged in the store, or does not open, says nothing, so that its session can be listed and ended. */
function readDescription(record: StoredRecord): Readonly<Record<string, unknown>> {
  try {
    return parseStored(record.description ?? '{}')
  } catch {
    return {}
  }
}
