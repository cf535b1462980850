import type { FastifyRequest } from 'fastify'
import type { MaybePromise } from '../../types/store.ts'
import type { Trace } from '../diagnostics/trace.ts'
import { NotLoadedError } from '../errors.ts'
import type { Settings } from '../options.ts'
import type { Transport } from '../transport/transport.ts'
import type { SessionIds } from './ids.ts'
import type { LoadResult } from './load.ts'
import { SessionLoader } from './load.ts'
import type { RoutePolicies, RoutePolicy } from './route-config.ts'
import type { RequestSlots } from './slots.ts'
import type { SessionDefaults } from './state.ts'
import { SessionState } from './state.ts'

const NOTHING_FOUND: Omit<LoadResult, 'reason'> = { record: undefined, needsRekey: false, isDue: false }

/** Begins the session state of a request, at the moment that the transport chooses. */
export class SessionOpener {
  readonly #settings: Settings
  readonly #slots: RequestSlots
  readonly #policies: RoutePolicies
  readonly #transport: Transport
  readonly #trace: Trace
  readonly #defaults: SessionDefaults
  readonly #loader: SessionLoader
  readonly #now: () => number

  constructor(
    settings: Settings,
    slots: RequestSlots,
    policies: RoutePolicies,
    transport: Transport,
    trace: Trace,
    ids: SessionIds,
    now: () => number
  ) {
    this.#settings = settings
    this.#slots = slots
    this.#policies = policies
    this.#transport = transport
    this.#trace = trace
    this.#defaults = { ids, permanent: settings.permanent }
    this.#loader = new SessionLoader(settings, transport)
    this.#now = now
  }

  /** At the start of a request. */
  atStart(request: FastifyRequest): MaybePromise<unknown> {
    try {
      const state = this.#transport.loadAtStart(this.#loadIfSent, request)
      return state instanceof Promise ? state.catch((error) => this.#serveWithout(request, error)) : undefined
    } catch (error) {
      return this.#serveWithout(request, error)
    }
  }

  /** At the first access. Throws `ERR_SESSION_NOT_LOADED` where a store would have to be asked. */
  atAccess(request: FastifyRequest): SessionState {
    const { decorator } = this.#settings
    const isEarly = this.#slots.replyOf(request) === null && this.#policies.of(request).enabled
    const state = isEarly ? this.#transport.loadBeforeStart(this.#load, request, decorator) : this.#load(request)
    if (!(state instanceof Promise)) return state
    state.catch(() => {})
    throw new NotLoadedError(`request.${decorator} has a cookie now that it did not come with.`)
  }

  /** At the end of a request that did not access its session: only if its activity or its key is due. */
  atEnd(request: FastifyRequest): SessionState | undefined {
    const { cookie } = request.raw.headers
    if (cookie === undefined || this.#loader.isFresh(cookie, this.#now)) return undefined
    if (!this.#policies.of(request).enabled) return undefined
    const state = this.#transport.loadAtEnd(this.#load, request)
    return state === undefined || state instanceof Promise || state.isNew ? undefined : state
  }

  readonly #loadIfSent = (request: FastifyRequest): MaybePromise<SessionState> | undefined =>
    this.#loader.mayFind(request.raw.headers.cookie) ? this.#load(request) : undefined

  readonly #load = (request: FastifyRequest): MaybePromise<SessionState> => {
    const policy = this.#policies.of(request)
    const now = this.#now()
    if (!policy.enabled) return this.#begin(request, policy, { ...NOTHING_FOUND, reason: 'disabled' }, now)
    const found = this.#loader.load(request.raw.headers.cookie, now)
    if (!(found instanceof Promise)) return this.#begin(request, policy, found, now)
    return found.then((found) => this.#begin(request, policy, found, now))
  }

  #begin(request: FastifyRequest, policy: RoutePolicy, found: LoadResult, now: number): SessionState {
    const state = new SessionState(request, policy, found, this.#defaults, now)
    this.#slots.setState(request, state)
    this.#trace.opened(request, found.reason, state)
    return state
  }

  /** The store has failed, so nobody knows whose session it is. Returns on a route with `onStoreError: 'anonymous'`. */
  #serveWithout(request: FastifyRequest, error: unknown): undefined {
    const policy = this.#policies.of(request)
    const found: LoadResult = { ...NOTHING_FOUND, reason: 'store-unavailable' }
    this.#begin(request, { ...policy, enabled: false }, found, this.#now())
    if (!policy.anonymousOnStoreError) throw error
    this.#trace.survived(request, error)
    return undefined
  }
}
