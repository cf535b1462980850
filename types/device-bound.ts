import type { FastifyRequest } from 'fastify'
import type { GuardOptions } from './guard.ts'

/**
 * The options of device-bound sessions. An option that is undefined has its default. Durations are in seconds. A wrong value is
 * refused with `ERR_SESSION_OPTION_INVALID` at start, and an unknown name with `ERR_SESSION_OPTION_UNKNOWN`.
 */
export interface DeviceBoundOptions {
  /**
   * The path below which the two routes are that browsers call: `POST <path>/register` and `POST <path>/refresh`. It has no slash at
   * its end, no query and no parameters. Default `'/session/device'`.
   *
   * @example
   * ```ts
   * await app.register(deviceBound, { path: '/auth/device' })
   * ```
   */
  readonly path?: string | undefined
  /**
   * For how many seconds a browser is believed after a proof: 1 to 86,400. A copy of its cookies is good for as long at most. While
   * somebody uses the application, the browser proves itself once in this time. Default 600.
   *
   * @example
   * ```ts
   * await app.register(deviceBound, { refreshEvery: 300 })
   * ```
   */
  readonly refreshEvery?: number | undefined
  /**
   * Whether a session is offered to the browser when it gets an owner: by `session.setOwner()`, or by a login of the login kit. With
   * `false`, only `session.bindToDevice()` offers one. Default `true`.
   *
   * @example
   * ```ts
   * await app.register(deviceBound, { offerAtLogin: false })
   * ```
   */
  readonly offerAtLogin?: boolean | undefined
  /**
   * How many seconds `session.bindToDevice()` waits before it offers one session again, because its browser has not taken the last
   * offer. Default 86,400. `0`: at each call.
   *
   * @example
   * ```ts
   * await app.register(deviceBound, { offerAgainAfter: 3600 })
   * ```
   */
  readonly offerAgainAfter?: number | undefined
  /**
   * What a request without a proof is worth whose header `Secure-Session-Skipped` says that the browser could not get one: nothing,
   * or the session, whose `device.lastProofAt` is then undefined. Anybody who has copied the cookies can write that header, so
   * `'accept'` is for a trial only. Default `'refuse'`.
   *
   * @example
   * ```ts
   * await app.register(deviceBound, { onSkipped: 'accept' })
   * ```
   */
  readonly onSkipped?: 'refuse' | 'accept' | undefined
  /**
   * The option `decorator` of the session. Default `'session'`.
   *
   * @example
   * ```ts
   * await app.register(deviceBound, { decorator: 'adminSession', path: '/admin/device' })
   * ```
   */
  readonly decorator?: string | undefined
}

/** The options of `deviceRequired()`. */
export interface DeviceRequiredOptions<Decorator extends string = 'session'> extends GuardOptions {
  /**
   * The option `decorator` of the session. Default `'session'`.
   *
   * @example
   * ```ts
   * const bound = deviceRequired({ decorator: 'adminSession' })
   * ```
   */
  readonly decorator?: Decorator | undefined
}

/** Why a browser was not bound, or its proof not taken. */
export type DeviceRefusal =
  /** The request is not what a browser sends: it has no `Sec-Secure-Session-Id`, or no token. */
  | 'not-a-browser'
  /** The request came over plain HTTP. */
  | 'insecure-transport'
  /** No cookie of the request opens a session. */
  | 'no-session'
  /** The session was not offered, or another offer has followed. */
  | 'not-offered'
  /** The session is bound already. */
  | 'already-bound'
  /** The session is not bound. */
  | 'not-bound'
  /** The session is bound to another key than the one that the browser means. */
  | 'other-device'
  /** The token is not one of this kind, or of another algorithm. */
  | 'malformed'
  /** The key in the token is not one that a session is bound to. */
  | 'unusable-key'
  /** Another key has signed the token. */
  | 'bad-signature'
  /** The challenge is not one of this server, for this session and this purpose. */
  | 'bad-challenge'
  /** The challenge is older than five minutes. */
  | 'expired-challenge'
  /** The challenge was answered before. */
  | 'used-challenge'

/**
 * The message on the `diagnostics_channel` named `fastify-typed-session/device`. It never contains a key, a cookie or a token.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 * import type { DeviceEvent } from 'fastify-typed-session/device-bound'
 *
 * subscribe('fastify-typed-session/device', (message) => {
 *   const { type, reason, request } = message as DeviceEvent
 *   if (type === 'refused') console.warn('a device was refused', reason, request.ip)
 * })
 * ```
 */
export interface DeviceEvent {
  /**
   * `bound`: a session is bound to a key. `proved`: a browser has proved that it has the key. `refused`: one has not. `skipped`: a
   * browser could not reach this server for a proof, or says so.
   */
  readonly type: 'bound' | 'proved' | 'refused' | 'skipped'
  /** The request. */
  readonly request: FastifyRequest
  /** The handle of the session; undefined if there is none. */
  readonly id: string | undefined
  /** Why a browser was refused, or what it says of its refresh: `unreachable`, `server_error` or `quota_exceeded`. */
  readonly reason: DeviceRefusal | 'unreachable' | 'server_error' | 'quota_exceeded' | 'other' | undefined
}
