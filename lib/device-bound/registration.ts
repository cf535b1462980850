import type { FastifyReply, FastifyRequest } from 'fastify'
import type { DeviceRefusal } from '../../types/device-bound.ts'
import { GoneError } from '../errors.ts'
import { isBound, readOffer } from '../format/device.ts'
import { requestSession } from '../request/get-session.ts'
import { RequestSession } from '../request/session.ts'
import type { SessionState } from '../request/state.ts'
import { answerProved } from './answer-proved.ts'
import { publish } from './device-events.ts'
import type { DeviceKey } from './device-key.ts'
import { readJwk } from './device-key.ts'
import type { DeviceKit } from './kit.ts'
import type { ProofToken } from './proof-token.ts'
import { isSignedBy } from './proof-token.ts'
import { answerEnd } from './reply.ts'
import { readTokenOf } from './request-headers.ts'

/** Binds the session of a request to the key that its browser has made, or says why not. */
export async function register(kit: DeviceKit, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const session = requestSession(request, kit.settings.decorator)
  const state = RequestSession.stateOf(session)
  const bound = await bind(kit, request, session, state)
  if (typeof bound === 'string') {
    publish({ type: 'refused', request, id: state.knownHandle, reason: bound })
    answerEnd(reply)
    return
  }
  publish({ type: 'bound', request, id: state.handle, reason: undefined })
  answerProved(kit, request, reply, state.id, bound.text)
}

async function bind(
  kit: DeviceKit,
  request: FastifyRequest,
  session: RequestSession,
  state: SessionState
): Promise<DeviceKey | DeviceRefusal> {
  const token = readTokenOf(request)
  if (typeof token === 'string') return token
  if (state.persisted === undefined) return 'no-session'
  const found = judge(kit, state, token)
  if (typeof found === 'string') return found
  const used = await kit.challenges.use(token.challenge)
  if (used !== undefined) return used
  state.bind(found.text, kit.now())
  try {
    // Now: the browser must not be told that it is bound before that is true.
    await session.commit()
  } catch (error) {
    if (error instanceof GoneError) return 'no-session'
    throw error
  }
  return found
}

/** Returns the key of a browser, if the session can be bound to it. */
function judge(kit: DeviceKit, state: SessionState, token: ProofToken): DeviceKey | DeviceRefusal {
  if (isBound(state.extensions)) return 'already-bound'
  const at = kit.challenges.judge(token.challenge, 'register', state.id)
  if (typeof at === 'string') return at
  if (at !== readOffer(state.extensions)) return 'not-offered'
  const key = readJwk(token.jwk, token.algorithm)
  if (key === undefined) return 'unusable-key'
  return isSignedBy(token, key) ? key : 'bad-signature'
}
