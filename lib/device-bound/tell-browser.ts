import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Binding } from '../format/device.ts'
import { isBound, readBinding, readOffer } from '../format/device.ts'
import type { SessionState } from '../request/state.ts'
import { ALGORITHMS, identifierOf } from './device-key.ts'
import type { DeviceKit } from './kit.ts'
import { hasChallenge, putChallenge } from './reply.ts'
import { writeString } from './structured-field.ts'

const REGISTRATION = 'secure-session-registration'

/** Seconds before the end of a proof from which replies have the next challenge, as a part of the life of a proof. */
const AHEAD_PART = 1 / 3
/** A challenge is good for twice as long. */
const MAX_AHEAD = 150

/** Puts into a reply what a browser has to know of the device of its session, after the session is saved. */
export function tellBrowser(kit: DeviceKit, state: SessionState, request: FastifyRequest, reply: FastifyReply): void {
  const { loaded } = state
  if (state.hasOffer) offer(kit, state, request, reply)
  else if (loaded !== undefined && isBound(loaded.extensions)) goOn(kit, state, loaded.id, request, reply)
  else if (state.openReason === 'device-unproven') endProof(kit, state, request, reply)
}

/** A short cookie that proves nothing, such as one for an earlier id, would keep the browser from a refresh for as long as it has it. */
function endProof({ cookie }: DeviceKit, state: SessionState, request: FastifyRequest, reply: FastifyReply): void {
  if (state.accessed && cookie.isSent(request) && !hasChallenge(reply)) cookie.clear(reply)
}

/** Only what is saved under this id: the browser comes back with the cookie of this reply. */
function offer(kit: DeviceKit, state: SessionState, request: FastifyRequest, reply: FastifyReply): void {
  if (state.persisted?.id !== state.id || state.isDestroyed) return
  const challenge = kit.challenges.issue('register', state.id, readOffer(state.extensions))
  const path = `path=${writeString(kit.pathOf(request, 'register'))}`
  const line = `(${ALGORITHMS.join(' ')});${path};challenge=${writeString(challenge)}`
  // Another session of this reply has a path of its own. After an error, this is called again.
  const others = [reply.getHeader(REGISTRATION) ?? []].flat().filter((other) => !String(other).includes(path))
  reply.header(REGISTRATION, others.length === 0 ? line : [...others, line])
}

function goOn(
  kit: DeviceKit,
  state: SessionState,
  loadedId: string,
  request: FastifyRequest,
  reply: FastifyReply
): void {
  const { provedAt, isDestroyed, id, extensions } = state
  if (isDestroyed || !isBound(extensions) || id !== loadedId) {
    kit.cookie.clear(reply)
    return
  }
  if (provedAt === undefined) {
    endProof(kit, state, request, reply)
    return
  }
  const { refreshEvery } = kit.settings
  const left = provedAt + refreshEvery - kit.now()
  if (left > Math.min(MAX_AHEAD, refreshEvery * AHEAD_PART) || hasChallenge(reply)) return
  const { key } = readBinding(extensions) as Binding
  putChallenge(reply, kit.challenges.issue('refresh', id), identifierOf(key))
}
