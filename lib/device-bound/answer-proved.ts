import type { FastifyReply, FastifyRequest } from 'fastify'
import { identifierOf } from './device-key.ts'
import { writeInstructions } from './instructions.ts'
import type { DeviceKit } from './kit.ts'
import { answer, putChallenge } from './reply.ts'

/** Answers a browser that has proved that it has the key of the session with an id: with its proof, and what it has to know. */
export function answerProved(
  { challenges, cookie, pathOf, now }: DeviceKit,
  request: FastifyRequest,
  reply: FastifyReply,
  id: string,
  key: string
): void {
  const identifier = identifierOf(key)
  cookie.set(reply, id, key, now())
  putChallenge(reply, challenges.issue('refresh', id), identifier)
  const refreshPath = pathOf(request, 'refresh')
  const told = { identifier, refreshPath, cookieName: cookie.name, cookieAttributes: cookie.attributes }
  answer(reply, 200, writeInstructions(request, told))
}
