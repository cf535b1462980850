import type { AdoptOptions, SessionReader } from '../../types/adopt.ts'
import type { FlaskKeyOptions } from '../../types/flask.ts'
import type { SessionValues } from '../../types/session.ts'
import { openFlask } from '../flask/format.ts'
import { KEY_OPTIONS, LIFETIME, readKeys } from '../flask/options.ts'
import { toPlain } from '../flask/plain.ts'
import { FlaskSigner } from '../flask/signer.ts'
import { untag } from '../flask/tags.ts'
import { assertKnown, isObject, isString, MAX_INTEGER, readOption, readWholeOption } from '../util/check.ts'
import { ADOPT_OPTIONS, readAdoption } from './adoption.ts'
import { parseObject } from './parse-object.ts'

/** The options of `flask()`. An option that is undefined has its default. */
export interface FlaskReaderOptions<Old = Record<string, unknown>, Data = SessionValues>
  extends AdoptOptions<Old, Data>,
    FlaskKeyOptions {
  /**
   * The `SESSION_COOKIE_NAME` of the Flask application. Default `'session'`, as in Flask: give the session of the plugin another
   * `cookieName`.
   *
   * @example
   * ```ts
   * const reader = flask({ secretKey: process.env.FLASK_SECRET_KEY, cookieName: 'shop' })
   * ```
   */
  readonly cookieName?: string | undefined
  /**
   * Its `PERMANENT_SESSION_LIFETIME` in seconds: Flask does not accept a cookie that it has signed longer ago, whether the session is
   * permanent or not. A whole number from 1; default 2 678 400, which is 31 days, as in Flask.
   *
   * @example
   * ```ts
   * const reader = flask({ secretKey: process.env.FLASK_SECRET_KEY, maxAge: 7 * 24 * 60 * 60 })
   * ```
   */
  readonly maxAge?: number | undefined
}

/**
 * Reads the cookies of Flask's own sessions, once: the session goes on as one of ours. For a Flask application that serves the same
 * sessions at the same time, there is `flaskCookie()` of `fastify-typed-session/flask` instead.
 *
 * What JSON has not becomes what is nearest to it, in `map`, too: a tuple is an array, a `UUID` and a `Markup` are strings, a datetime
 * is a string such as `2026-12-01T12:00:00.000Z`, and bytes are a string of Base64. `_permanent` is not among the data.
 *
 * Throws `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_OPTION_UNKNOWN`, `ERR_SESSION_SECRET_MISSING` and `ERR_SESSION_SECRET_WEAK`.
 *
 * @example
 * ```ts
 * const old = flask<{ user_id?: number }>({
 *   secretKey: process.env.FLASK_SECRET_KEY,
 *   remove: true,
 *   map: ({ user_id }) => (user_id === undefined ? {} : { userId: user_id }),
 *   ownerOf: ({ user_id }) => (user_id === undefined ? undefined : String(user_id))
 * })
 * await app.register(session, { secret: process.env.SESSION_SECRET, cookieName: 'sid', adopt: [old] })
 * ```
 */
export function flask<Old extends object = Record<string, unknown>, Data = SessionValues>(
  options: FlaskReaderOptions<Old, Data>
): SessionReader {
  assertKnown(options, [...KEY_OPTIONS, 'cookieName', 'maxAge', ...ADOPT_OPTIONS], 'flask()')
  const signer = new FlaskSigner(readKeys(options))
  const cookieName = readOption(options.cookieName, 'session', 'cookieName', 'a string', isString)
  const maxAge = readWholeOption(options.maxAge, LIFETIME, 'maxAge', 'seconds', 1, MAX_INTEGER)
  const { found, ...common } = readAdoption(options, cookieName)
  return {
    ...common,
    read(value, { now }) {
      const opened = openFlask(signer, value)
      if (typeof opened === 'string') return 'refused'
      const { json, signedAt } = opened
      if (signedAt > now || now - signedAt > maxAge) return 'refused'
      const data = readData(json)
      if (!isObject(data)) return 'refused'
      const { _permanent: permanent = false, ...old } = data as Record<string, unknown>
      // The MAC has one spelling.
      const key = value.slice(value.lastIndexOf('.') + 1)
      const times = { lastSeenAt: signedAt, expiresAt: signedAt + maxAge }
      return found(old as Old, { key, isUnique: false, ...times, permanent: Boolean(permanent) })
    }
  }
}

/** Undefined for what is nested too deeply, which Flask does not write. */
function readData(json: string): unknown {
  try {
    return toPlain(untag(parseObject(json)))
  } catch {
    return undefined
  }
}
