import type { FastifyRequest } from 'fastify'
import { NotRegisteredError } from '../errors.ts'
import type { Binding } from '../format/device.ts'
import { isBound, readBinding, readOffer } from '../format/device.ts'
import type { Extensions } from '../format/extensions.ts'
import type { LoadedRecord } from '../format/record.ts'
import type { LoadResult } from './load-result.ts'
import { createResult, nothing } from './load-result.ts'
import type { RoutePolicy } from './route-config.ts'

/** What the plugin of device-bound sessions adds to a session. Times are seconds since 1970. */
export interface DeviceKeeper {
  /** When the browser that sent `cookies` last proved that it holds the key of the session with an id. Undefined without a good proof. */
  provedAt(cookies: string, id: string, now: number): number | undefined
  /** What it has proved for a session that was on offer, as its extensions say, and is bound, although its cookie does not say so. */
  lostBinding(request: FastifyRequest, id: string, extensions: Extensions, now: number): Binding | undefined
  /** Whether the first proof of a session that was bound at `boundAt` may still be on its way to the browser. */
  isProofUnderWay(boundAt: number, now: number): boolean
  /** Whether a session opens for a request that says why it has no proof. */
  acceptsSkipped(request: FastifyRequest): boolean
  /** Whether the reply to a request can ask the browser to bind the session. */
  canOffer(request: FastifyRequest): boolean
  readonly offersToOwners: boolean
  /** Seconds after which a session is offered again. */
  readonly offerAgainAfter: number
  now(): number
}

/** Where a session that is bound to a device asks for the proof of its browser. */
export class DeviceGate {
  #keeper: DeviceKeeper | undefined

  /** Without a keeper nobody can prove anything: a bound session opens nowhere, except on routes that demand no proof. */
  join(keeper: DeviceKeeper): void {
    this.#keeper = keeper
  }

  /** Judges a request that came with the cookie of a session that is bound, or was offered. */
  admit(found: LoadResult, request: FastifyRequest, policy: RoutePolicy, now: number): LoadResult {
    const { id, extensions } = found.record as LoadedRecord
    if (!isBound(extensions)) {
      const lost = this.#keeper?.lostBinding(request, id, extensions, now)
      return lost === undefined ? found : withProof(found, lost.boundAt, lost.key)
    }
    const provedAt = this.#keeper?.provedAt(request.raw.headers.cookie as string, id, now)
    if (provedAt !== undefined) return withProof(found, provedAt, undefined)
    const isOpen =
      policy.deviceOptional || this.#isProofUnderWay(extensions, now) || this.#keeper?.acceptsSkipped(request) === true
    return isOpen ? found : nothing('device-unproven')
  }

  /** Whether a session opens for whoever sent `cookies`, where there is no route that could demand less. */
  trusts({ id, extensions }: LoadedRecord, cookies: string, now: number): boolean {
    if (!isBound(extensions) || this.#isProofUnderWay(extensions, now)) return true
    return this.#keeper?.provedAt(cookies, id, now) !== undefined
  }

  #isProofUnderWay(extensions: Extensions, now: number): boolean {
    const { boundAt } = readBinding(extensions) as Binding
    return this.#keeper?.isProofUnderWay(boundAt, now) === true
  }

  /** Returns when the session of a request is offered, because it has an owner now. Undefined if it is not. */
  offerToOwner(request: FastifyRequest): number | undefined {
    return this.#keeper?.offersToOwners && this.#keeper.canOffer(request) ? this.#keeper.now() : undefined
  }

  /** The same because the application asks for it. Throws `ERR_SESSION_NOT_REGISTERED`. */
  offer(request: FastifyRequest, extensions: Extensions): number | undefined {
    if (this.#keeper === undefined) {
      throw new NotRegisteredError(
        'session.bindToDevice() needs device-bound sessions. Register fastify-typed-session/device-bound in the scope of the session.'
      )
    }
    const now = this.#keeper.now()
    const offeredAt = readOffer(extensions)
    const isTooSoon = offeredAt !== undefined && now - offeredAt < this.#keeper.offerAgainAfter
    return isTooSoon || !this.#keeper.canOffer(request) ? undefined : now
  }
}

function withProof(
  { reason, record, needsRekey, isDue, losers }: LoadResult,
  provedAt: number,
  lostKey: string | undefined
): LoadResult {
  return createResult(reason, record, needsRekey, isDue, losers, provedAt, lostKey)
}
