import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FoundSession, GoneSession } from '../../types/session-reader.ts'
import type { MaybePromise } from '../../types/store.ts'
import type { Source } from '../adopt/sources.ts'
import type { SerializeCookie } from '../cookie/serializer.ts'
import { parseStored } from '../data/storable.ts'
import type { Trace } from '../diagnostics/trace.ts'
import { ConflictError, isUnreadable, LimitError } from '../errors.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import type { Settings } from '../options.ts'
import type { AdoptionMarks } from '../owners/adoption-marks.ts'
import { secondsOf } from '../transport/clock.ts'
import { checkExpiry } from '../transport/expiry.ts'
import type { EndedRefusal, Transport } from '../transport/transport.ts'
import { BoundedMap } from '../util/bounded-map.ts'
import { chain } from '../util/maybe-async.ts'
import { adoptedRecord } from './adopted-record.ts'
import type { Plan } from './decide.ts'
import type { LoadResult } from './load-result.ts'
import { createResult, nothing } from './load-result.ts'
import type { Digests } from './old-sessions.ts'
import { OldSessions } from './old-sessions.ts'
import type { Outcome } from './save.ts'
import type { SessionState } from './state.ts'

/** Some 500 bytes each. The map holds between this many and twice as many. */
const RECENT_ADOPTIONS = 2000

const ID_BYTES = 32

/** Nothing is to be adopted: the next cookie is tried. */
const REFUSED: LoadResult = nothing('adopt-refused')
/** Another request has adopted it, and its cookie is on the way to the browser. */
const LATE: LoadResult = nothing('renamed')

/** What the old cookie of a request has led to. */
interface Adopted {
  readonly source: Source
  readonly found: FoundSession | GoneSession
}

/**
 * Takes over the sessions of other libraries: a request that has one of their cookies and none of ours begins a session of ours with
 * its data. Times are seconds since 1970.
 *
 * The id of a session follows from the key of the old one, if that is unique, so that all requests and processes that adopt it adopt
 * one session. Marks say which have been adopted, so that none begins again after its end.
 */
export class Adopter {
  readonly #settings: Settings
  readonly #transport: Transport
  readonly #marks: AdoptionMarks
  readonly #old: OldSessions
  readonly #trace: Trace
  readonly #now: () => number
  readonly #adopted: WeakMap<FastifyRequest, Adopted> = new WeakMap()
  /** What was just adopted, under its id, for requests that come when the other library has no record any more. */
  readonly #recent: BoundedMap<{ readonly at: number; readonly record: LoadedRecord }> = new BoundedMap(
    RECENT_ADOPTIONS
  )

  constructor(
    settings: Settings,
    transport: Transport,
    marks: AdoptionMarks,
    serialize: SerializeCookie,
    trace: Trace
  ) {
    this.#settings = settings
    this.#transport = transport
    this.#marks = marks
    this.#old = new OldSessions(settings, marks, serialize, trace)
    this.#trace = trace
    this.#now = secondsOf(settings.clock)
  }

  /** Lets the readers load what they need. */
  async start(): Promise<void> {
    for (const { reader } of this.#settings.adopt) await reader.start?.()
  }

  /** Whether a request has an old cookie, and none of ours. */
  concerns(request: FastifyRequest): boolean {
    return this.#old.cookies.areAlone(request)
  }

  /** Returns what the old cookies of a request stand for. Rejects with `ERR_SESSION_STORE_UNAVAILABLE` if a store fails. */
  async find(request: FastifyRequest): Promise<LoadResult> {
    for (const { source, values } of this.#old.cookies.of(request)) {
      for (const value of values) {
        const found = await this.#old.read(source, value, request)
        if (found === 'refused') continue
        const result = await (found.data === undefined
          ? this.#rejoin(source, found)
          : this.#adopt(source, found, request))
        if (result === REFUSED) continue
        if (result.reason !== 'invalid-data') this.#adopted.set(request, { source, found })
        return result
      }
    }
    return REFUSED
  }

  /** Called when a session was saved or has ended, before the reply says so. */
  conclude(outcome: Outcome, plan: Plan, { request, loaded }: SessionState, reply: FastifyReply): MaybePromise<void> {
    const hasEnded = outcome.kind === 'ended'
    const hasNewId = outcome.kind === 'saved' && plan.reason === 'renewed'
    if (loaded !== undefined && (hasEnded || hasNewId)) this.#recent.delete(loaded.id)
    // To clear a stale cookie, no reply is taken from a cache. Old ones are barred, and may stay.
    if (hasEnded) return this.#old.end(request, outcome.reason === 'stale' ? undefined : reply)
    return chain(hasNewId ? this.#old.bar(request) : undefined, () => this.#removeIfTold(outcome, request, reply))
  }

  async #adopt(source: Source, found: FoundSession, request: FastifyRequest): Promise<LoadResult> {
    const now = this.#now()
    const digests = this.#old.digestsOf(source, found.key)
    const id = this.#transport.idFrom(found.isUnique ? digests[0] : randomBytes(ID_BYTES))
    const made = adoptedRecord(found, id, this.#settings, now)
    if (made.kind === 'over') return REFUSED
    if (made.kind === 'invalid') {
      this.#trace.invalid(request, made.info, { knownHandle: undefined })
      return nothing('invalid-data')
    }
    const { record } = made
    const bytes = this.#transport.measure(record)
    if (bytes > this.#transport.limit) {
      this.#trace.tooLargeToAdopt(request, bytes, this.#transport.limit)
      return REFUSED
    }
    const joined = found.isUnique ? await this.#join(record, digests, now) : undefined
    const result = joined ?? (await this.#begin(record, found, digests, request, now))
    if (found.isUnique && result.record !== undefined) this.#recent.set(result.record.id, { at: now, record })
    return result
  }

  /** Returns the session of ours that an old one has become; undefined if there is none. `record`: as which it could begin. */
  async #join(record: LoadedRecord, digests: Digests, now: number): Promise<LoadResult | undefined> {
    let found: LoadedRecord | undefined
    for (const digest of digests) {
      const latest = await this.#latest({ ...record, id: this.#transport.idFrom(digest) })
      if (latest === 'not-found') continue
      if (typeof latest === 'string') return latest === 'renamed' ? LATE : REFUSED
      found ??= { ...latest, data: parseStored(latest.json) }
    }
    if (found === undefined) return undefined
    return checkExpiry(found, this.#settings, now) === undefined ? adopted(found) : REFUSED
  }

  /** One that is damaged in the store is refused, as it would be with a cookie of ours. */
  async #latest(record: LoadedRecord): Promise<IdentifiedRecord | EndedRefusal | 'unreadable'> {
    try {
      const latest = await this.#transport.latest(record)
      if (typeof latest !== 'string') parseStored(latest.json)
      return latest
    } catch (error) {
      if (!isUnreadable(error)) throw error
      return 'unreadable'
    }
  }

  async #begin(
    record: LoadedRecord,
    found: FoundSession,
    digests: Digests,
    request: FastifyRequest,
    now: number
  ): Promise<LoadResult> {
    for (const digest of digests) if ((await this.#marks.since(digest)) !== undefined) return REFUSED
    try {
      if ((await this.#transport.create(record, request, true)) === 'gone') return REFUSED
    } catch (error) {
      if (error instanceof ConflictError) return (await this.#join(record, digests, now)) ?? REFUSED
      if (error instanceof LimitError) return REFUSED
      throw error
    }
    if (!found.isUnique || (await this.#marks.claim(digests[0], this.#old.lastOf(found)))) {
      return adopted(record)
    }
    // It began and ended while this request looked for it.
    await this.#transport.delete(record, 'gone')
    return REFUSED
  }

  /** The other library has no record any more: perhaps because another request has just adopted the session. */
  async #rejoin(source: Source, { key }: GoneSession): Promise<LoadResult> {
    if (!source.reader.remove) return REFUSED
    const now = this.#now()
    const digests = this.#old.digestsOf(source, key)
    const recent = this.#recent.get(this.#transport.idFrom(digests[0]))
    const at = recent?.at ?? (await this.#marks.since(digests[0]))
    if (at !== undefined && now - at <= this.#settings.renameGrace) {
      return (await this.#join(recent?.record ?? blank(now), digests, now)) ?? REFUSED
    }
    // Without a store, another process may have adopted it. A session that began here would take the place of that one.
    return this.#settings.store === undefined ? LATE : REFUSED
  }

  #removeIfTold(outcome: Outcome, request: FastifyRequest, reply: FastifyReply): MaybePromise<void> {
    const adopted = this.#adopted.get(request)
    if (adopted?.source.reader.remove !== true) return undefined
    const { kind } = outcome
    const isTold =
      adopted.found.data === undefined ? kind === 'nothing' : kind === 'saved' && outcome.value !== undefined
    if (!isTold) return undefined
    this.#adopted.delete(request)
    return this.#old.remove(adopted.source, adopted.found, request, reply)
  }
}

function adopted(record: LoadedRecord): LoadResult {
  return createResult('adopted', record, true, false)
}

/** What a store needs in order to look for a record. */
function blank(now: number): LoadedRecord {
  const times = { createdAt: now, lastSeenAt: now }
  return { id: '', ...times, permanent: false, ownerId: undefined, extensions: undefined, json: '{}', data: {} }
}
