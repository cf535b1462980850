import type { EventEmitter } from 'node:events'
import type { RawRequest } from '../../types/raw-session.ts'
import { InvalidValueError } from '../errors.ts'
import { isFunction, isObject, isString } from '../util/check.ts'

/** A connection that a request has taken for itself. */
export type Connection = EventEmitter & { readonly destroyed: boolean }

/** Returns the Cookie header; empty if there is none. Throws `ERR_SESSION_VALUE` for what is no request. */
export function cookiesOf(request: RawRequest): string {
  const { headers } = Object(request) as Partial<RawRequest>
  if (!isObject(headers)) throw wrong('an object without headers')
  const given = headers as { readonly cookie?: unknown; get?(name: string): unknown }
  const cookies = (isFunction(given.get) ? given.get?.('cookie') : given.cookie) ?? ''
  if (!isString(cookies)) throw wrong('headers whose cookie is not a string')
  return cookies as string
}

/**
 * Returns the connection of an upgrade, whose end is the end of what the request was for. That of any other request says nothing: it
 * serves others, too, and a client that polls changes it.
 */
export function connectionOf(request: RawRequest): Connection | undefined {
  const { upgrade, socket } = request as { readonly upgrade?: unknown; readonly socket?: Connection }
  return upgrade === true ? socket : undefined
}

function wrong(got: string): Error {
  return new InvalidValueError(
    `app.sessions.ofRaw() takes a request, such as the IncomingMessage of an upgrade, or an object like { headers: { cookie } }; it got ${got}.`
  )
}
