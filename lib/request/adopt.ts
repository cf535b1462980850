import { createHmac, randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FoundSession, GoneSession, ReaderContext, ReaderRefusal } from '../../types/adopt.ts'
import type { MaybePromise } from '../../types/store.ts'
import type { Source } from '../adopt/sources.ts'
import type { SerializeCookie } from '../cookie/serializer.ts'
import type { SessionKey } from '../crypto/keys.ts'
import { deriveKeys } from '../crypto/keys.ts'
import { parseStored } from '../data/storable.ts'
import type { Trace } from '../diagnostics/trace.ts'
import { ConflictError, isSessionError, LimitError, unavailableError } from '../errors.ts'
import type { LoadedRecord } from '../format/record.ts'
import type { Settings } from '../options.ts'
import type { AdoptionMarks } from '../owners/adoption-marks.ts'
import { Deadline } from '../stores/deadline.ts'
import { secondsOf } from '../transport/clock.ts'
import { checkExpiry } from '../transport/expiry.ts'
import type { Transport } from '../transport/transport.ts'
import { BoundedMap } from '../util/bounded-map.ts'
import { chain } from '../util/maybe-async.ts'
import { adoptedRecord } from './adopted-record.ts'
import type { Plan } from './decide.ts'
import type { LoadResult } from './load-result.ts'
import { nothing } from './load-result.ts'
import { OldCookies } from './old-cookies.ts'
import type { Outcome } from './save.ts'
import type { SessionState } from './state.ts'

/** Browsers keep no cookie longer (RFC 6265bis, section 5.5), in seconds: for an old session whose end is not known. */
const LONGEST_COOKIE = 34_560_000

/** Some 500 bytes each. The map holds between this many and twice as many. */
const RECENT_ADOPTIONS = 2000

const ID_BYTES = 32

/** Nothing is to be adopted: the next cookie is tried. */
const REFUSED: LoadResult = nothing('adopt-refused')
/** Another request has adopted it, and its cookie is on the way to the browser. */
const LATE: LoadResult = nothing('renamed')

type Answer = FoundSession | GoneSession | ReaderRefusal

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
  readonly #cookies: OldCookies
  readonly #trace: Trace
  readonly #now: () => number
  readonly #keys: readonly SessionKey[]
  readonly #deadline: Deadline
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
    const { storeTimeout } = settings
    this.#settings = settings
    this.#transport = transport
    this.#marks = marks
    this.#cookies = new OldCookies(settings.adopt, settings.cookieName, serialize)
    this.#trace = trace
    this.#now = secondsOf(settings.clock)
    this.#keys = deriveKeys(settings.secrets, 'adopted')
    this.#deadline = new Deadline(
      storeTimeout * 1000,
      `A reader of old sessions did not answer within ${storeTimeout} s.`
    )
  }

  /** Lets the readers load what they need. */
  async start(): Promise<void> {
    for (const { reader } of this.#settings.adopt) await reader.start?.()
  }

  /** Whether a request has an old cookie, and none of ours. */
  concerns(request: FastifyRequest): boolean {
    return this.#cookies.areAlone(request)
  }

  /** Returns what the old cookies of a request stand for. Rejects with `ERR_SESSION_STORE_UNAVAILABLE` if a store fails. */
  async find(request: FastifyRequest): Promise<LoadResult> {
    for (const { source, values } of this.#cookies.of(request)) {
      for (const value of values) {
        const found = await this.#read(source, value, request)
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
    if (hasEnded) return this.#forget(request, reply)
    return chain(hasNewId ? this.#bar(request) : undefined, () => this.#removeIfTold(outcome, request, reply))
  }

  #read({ reader }: Source, value: string, request: FastifyRequest): Promise<Answer> {
    const context: ReaderContext = { now: this.#now(), cookiesNamed: (name) => this.#cookies.named(request, name) }
    const call = (async () => reader.read(value, context))()
    return this.#deadline.race(this.#deadline.begin(), call, isAnswer, (cause) =>
      isSessionError(cause) ? cause : unavailableError(cause)
    )
  }

  async #adopt({ reader }: Source, found: FoundSession, request: FastifyRequest): Promise<LoadResult> {
    const now = this.#now()
    const digests = this.#digestsOf(reader.cookieName, found.key)
    const id = this.#transport.idFrom(found.isUnique ? newest(digests) : randomBytes(ID_BYTES))
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
  async #join(record: LoadedRecord, digests: readonly Buffer[], now: number): Promise<LoadResult | undefined> {
    let found: LoadedRecord | undefined
    for (const digest of digests) {
      const latest = await this.#transport.latest({ ...record, id: this.#transport.idFrom(digest) })
      if (latest === 'not-found') continue
      if (typeof latest === 'string') return latest === 'renamed' ? LATE : REFUSED
      found ??= { ...latest, data: parseStored(latest.json) }
    }
    if (found === undefined) return undefined
    return checkExpiry(found, this.#settings, now) === undefined ? adopted(found) : REFUSED
  }

  async #begin(
    record: LoadedRecord,
    { isUnique, expiresAt }: FoundSession,
    digests: readonly Buffer[],
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
    if (!isUnique || (await this.#marks.claim(newest(digests), expiresAt ?? now + LONGEST_COOKIE))) {
      return adopted(record)
    }
    // It began and ended while this request looked for it.
    await this.#transport.delete(record)
    return REFUSED
  }

  /** The other library has no record any more: perhaps because another request has just adopted the session. */
  async #rejoin({ reader }: Source, { key }: GoneSession): Promise<LoadResult> {
    if (!reader.remove) return REFUSED
    const now = this.#now()
    const digests = this.#digestsOf(reader.cookieName, key)
    const recent = this.#recent.get(this.#transport.idFrom(newest(digests)))
    const at = recent?.at ?? (await this.#marks.since(newest(digests)))
    if (at !== undefined && now - at <= this.#settings.renameGrace) {
      return (await this.#join(recent?.record ?? blank(now), digests, now)) ?? REFUSED
    }
    // Without a store, another process may have adopted it. A session that began here would take the place of that one.
    return this.#settings.store === undefined ? LATE : REFUSED
  }

  /** The session is over: no old cookie of this browser may begin it again. */
  async #forget(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    for (const { source, values } of this.#cookies.of(request)) {
      for (const value of values) {
        const found = await this.#barOne(source, value, request)
        if (found !== undefined && 'end' in found) await found.end?.()
      }
      this.#cookies.clear(source, request, reply)
    }
  }

  /** The session has a new id, mostly for a login: old cookies stay for a roll-back, but they begin nothing here. */
  async #bar(request: FastifyRequest): Promise<void> {
    try {
      for (const { source, values } of this.#cookies.of(request)) {
        for (const value of values) await this.#barOne(source, value, request)
      }
    } catch (error) {
      this.#trace.notForgotten(request, error)
    }
  }

  async #barOne(
    source: Source,
    value: string,
    request: FastifyRequest
  ): Promise<FoundSession | GoneSession | undefined> {
    const found = await this.#read(source, value, request)
    if (found === 'refused') return undefined
    const until = ('expiresAt' in found ? found.expiresAt : undefined) ?? this.#now() + LONGEST_COOKIE
    await this.#marks.bar(newest(this.#digestsOf(source.reader.cookieName, found.key)), until)
    return found
  }

  #removeIfTold(outcome: Outcome, request: FastifyRequest, reply: FastifyReply): MaybePromise<void> {
    const adopted = this.#adopted.get(request)
    if (adopted?.source.reader.remove !== true) return undefined
    const { kind } = outcome
    const isTold =
      adopted.found.data === undefined ? kind === 'nothing' : kind === 'saved' && outcome.value !== undefined
    return isTold ? this.#remove(adopted, request, reply) : undefined
  }

  /** Our session is saved and goes on, whatever becomes of the old one. */
  async #remove({ source, found }: Adopted, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    this.#adopted.delete(request)
    this.#cookies.clear(source, request, reply)
    try {
      if ('end' in found) await found.end?.()
    } catch (error) {
      this.#trace.notForgotten(request, error)
    }
  }

  /** One for each secret, the newest first: what an old session is called here. */
  #digestsOf(cookieName: string, key: string): readonly Buffer[] {
    return this.#keys.map(({ bytes }) => createHmac('sha256', bytes).update(`${cookieName} ${key}`).digest())
  }
}

function newest(digests: readonly Buffer[]): Buffer {
  return digests[0] as Buffer
}

function adopted(record: LoadedRecord): LoadResult {
  return { ...REFUSED, reason: 'adopted', record, needsRekey: true }
}

/** What a store needs in order to look for a record. */
function blank(now: number): LoadedRecord {
  const times = { createdAt: now, lastSeenAt: now }
  return { id: '', ...times, permanent: false, ownerId: undefined, extensions: undefined, json: '{}', data: {} }
}

function isAnswer(answer: unknown): boolean {
  const { key, data } = Object(answer) as Partial<FoundSession>
  return answer === 'refused' || (typeof key === 'string' && (data === undefined || typeof data === 'object'))
}
