import type { LightMyRequestResponse } from 'fastify'

/** The first Set-Cookie line of a reply. */
export function setCookie(reply: LightMyRequestResponse): string | undefined {
  return [reply.headers['set-cookie']].flat()[0]
}

/** The value of the session cookie that a reply sets; an empty string if the reply clears the cookie. */
export function cookieValue(reply: LightMyRequestResponse): string | undefined {
  const [pair] = setCookie(reply)?.split(';', 1) ?? []
  return pair?.slice('session='.length)
}

/** The code of the error that a reply holds. */
export function errorCode(reply: LightMyRequestResponse): string | undefined {
  return reply.json().code
}

/** The status of each reply. */
export function statuses(replies: readonly LightMyRequestResponse[]): number[] {
  return replies.map(({ statusCode }) => statusCode)
}
