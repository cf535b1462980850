import type { FastifyRequest } from 'fastify'
import { readOffer } from '../format/device.ts'
import type { DeviceKeeper } from '../request/device-gate.ts'
import { publish } from './device-events.ts'
import type { DeviceKit } from './kit.ts'
import { readSkippedOf } from './request-headers.ts'

/** Seconds that a browser has to bind a session. */
const MAX_MENDING = 600

/** Tells the session of a request what its browser has proved. */
export function createKeeper({ settings, cookie, now }: DeviceKit): DeviceKeeper {
  const { offersToOwners, offerAgainAfter, onSkipped } = settings
  return {
    offersToOwners,
    offerAgainAfter,
    now,
    provedAt: (cookies, id, at) => cookie.read(cookies, id, at)?.provedAt,
    lostBinding(request, id, extensions, at) {
      // Later, a proof that still belongs to it has been sent with other requests, which have mended that.
      const last = (readOffer(extensions) as number) + MAX_MENDING + settings.refreshEvery
      if (!cookie.hasKey || at > last || !cookie.isSent(request)) return undefined
      const proof = cookie.read(request.raw.headers.cookie as string, id, at)
      return proof && { boundAt: proof.provedAt, key: proof.key }
    },
    // Requests are under way that the browser sent before it got the first proof, such as the page behind a login. With a store, their
    // session is bound already.
    isProofUnderWay: (boundAt, at) => !cookie.hasKey && at - boundAt <= cookie.latency,
    acceptsSkipped(request: FastifyRequest): boolean {
      const reason = readSkippedOf(request)
      if (reason === undefined) return false
      publish({ type: 'skipped', request, id: undefined, reason })
      return onSkipped === 'accept'
    },
    // Browsers make no keys for plain HTTP.
    canOffer: ({ protocol }) => protocol === 'https'
  }
}
