import type { FastifyReply } from 'fastify'
import { writeString } from './structured-field.ts'

/** What pages of other origins could read a reply by. */
const CORS = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-expose-headers'
]

const CHALLENGE = 'secure-session-challenge'

/** Asks the browser to sign a challenge, now or when it is to prove itself next. */
export function putChallenge(reply: FastifyReply, challenge: string, identifier: string): void {
  reply.header(CHALLENGE, `${writeString(challenge)};id=${writeString(identifier)}`)
}

export function hasChallenge(reply: FastifyReply): boolean {
  return reply.hasHeader(CHALLENGE)
}

/** Answers a browser. No page gets to see the reply, or learns from it whether somebody is logged in. */
export function answer(reply: FastifyReply, status: number, json: string): void {
  for (const name of CORS) reply.removeHeader(name)
  reply
    .code(status)
    .header('cross-origin-resource-policy', 'same-origin')
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(json)
}

/** The browser forgets the session and its key: by the status, and by what the JSON says. */
export function answerEnd(reply: FastifyReply): void {
  answer(reply, 400, '{"continue":false}')
}
