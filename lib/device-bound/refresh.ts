import type { FastifyReply, FastifyRequest } from 'fastify'
import type { DeviceRefusal } from '../../types/device-bound.ts'
import { readBinding, withNotedProof } from '../format/device.ts'
import type { LoadedRecord } from '../format/record.ts'
import { answerProved } from './answer-proved.ts'
import { publish } from './device-events.ts'
import { identifierOf, readDeviceKey } from './device-key.ts'
import type { DeviceKit } from './kit.ts'
import { isSignedBy } from './proof-token.ts'
import { answer, answerEnd, putChallenge } from './reply.ts'
import { readIdentifierOf, readTokenOf } from './request-headers.ts'

/** The session that a browser wants to prove itself for. */
interface BoundSession {
  readonly record: LoadedRecord
  readonly identifier: string
  /** As the session keeps it. */
  readonly key: string
}

/**
 * After these, the browser may try again with another challenge. After any other one it forgets the session. A challenge that is none
 * may be of the time before the session got a new id, or under a secret that is not known any more.
 */
const RETRIED: readonly (DeviceRefusal | undefined)[] = [
  'not-a-browser',
  'bad-challenge',
  'expired-challenge',
  'used-challenge'
]

/** Takes the proof of a browser, or asks for one. */
export async function refresh(kit: DeviceKit, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const found = await findSession(kit, request)
  if (typeof found === 'string') {
    publish({ type: 'refused', request, id: undefined, reason: found })
    answerEnd(reply)
    return
  }
  const { record, identifier, key } = found
  const refusal = await judge(kit, request, found)
  const id = kit.context.factory.handleOf(record)
  const isRefused = refusal !== undefined && request.headers['secure-session-response'] !== undefined
  if (isRefused) publish({ type: 'refused', request, id, reason: refusal })
  if (refusal !== undefined && !RETRIED.includes(refusal)) {
    answerEnd(reply)
    return
  }
  if (refusal !== undefined) {
    putChallenge(reply, kit.challenges.issue('refresh', record.id), identifier)
    answer(reply, 403, '{}')
    return
  }
  await noteProof(kit, found)
  publish({ type: 'proved', request, id, reason: undefined })
  answerProved(kit, request, reply, record.id, key)
}

async function findSession(kit: DeviceKit, request: FastifyRequest): Promise<BoundSession | DeviceRefusal> {
  const wanted = readIdentifierOf(request)
  if (request.protocol !== 'https') return 'insecure-transport'
  if (wanted === undefined) return 'not-a-browser'
  const record = await kit.context.factory.read(request.headers.cookie ?? '')
  if (typeof record === 'string') return 'no-session'
  const key = readBinding(record.extensions)?.key ?? lostKeyOf(kit, request, record.id)
  if (key === undefined) return 'not-bound'
  const identifier = identifierOf(key)
  return identifier === wanted ? { record, identifier, key } : 'other-device'
}

/** See `LoadResult.lostKey`. */
function lostKeyOf({ cookie, now }: DeviceKit, request: FastifyRequest, id: string): string | undefined {
  return cookie.hasKey ? cookie.read(request.raw.headers.cookie as string, id, now())?.key : undefined
}

/** Returns why a proof is not taken; undefined if it is. The key is that of the session, whatever the token says. */
async function judge(
  { challenges }: DeviceKit,
  request: FastifyRequest,
  { record, key: text }: BoundSession
): Promise<DeviceRefusal | undefined> {
  const token = readTokenOf(request)
  if (typeof token === 'string') return token
  const key = readDeviceKey(text)
  if (key === undefined || !isSignedBy(token, key)) return 'bad-signature'
  const at = challenges.judge(token.challenge, 'refresh', record.id)
  return typeof at === 'string' ? at : challenges.use(token.challenge)
}

/** Only a store tells it to somebody else. If it is written to by another request meanwhile, that is noted the next time. */
async function noteProof({ context, now }: DeviceKit, { record }: BoundSession): Promise<void> {
  const { store } = context.sessions
  if (store === undefined) return
  const key = context.factory.handleOf(record)
  const latest = await store.load(key)
  if (latest === undefined) return
  const changes = { set: {}, unset: [], extensions: withNotedProof(latest.extensions, now()) as string }
  await store.commit(key, changes, latest.expiresAt, latest.version)
}
