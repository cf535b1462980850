import type { FlaskCookieOptions } from '../../types/flask.ts'
import type { SessionFormat } from '../../types/format.ts'
import type { ForeignFormat } from '../format/format.ts'
import { assertKnown, MAX_INTEGER } from '../util/check.ts'
import { FlaskFormat } from './format.ts'
import { KEY_OPTIONS, LIFETIME, readKeys } from './options.ts'
import { FlaskSigner } from './signer.ts'

/**
 * Lets sessions travel in Flask's own cookie, so that a Flask application and this one serve the same sessions, side by side: for
 * the option `format`, in the place of `secret`. It reads and writes what Flask 2.2 to 3.1 reads and writes with its default session
 * interface.
 *
 * `cookieName`, `cookie.path` and `cookie.domain` must be as in Flask. Without other options, sessions last as in Flask: `idleTimeout`
 * is 31 days, as `PERMANENT_SESSION_LIFETIME`, and there is no `absoluteTimeout`.
 *
 * Throws `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_OPTION_UNKNOWN`, `ERR_SESSION_SECRET_MISSING` and `ERR_SESSION_SECRET_WEAK`.
 *
 * @example
 * ```ts
 * import { flaskCookie } from 'fastify-typed-session/flask'
 *
 * await app.register(session, { format: flaskCookie({ secretKey: process.env.FLASK_SECRET_KEY }) })
 * ```
 */
export function flaskCookie(options: FlaskCookieOptions): SessionFormat {
  assertKnown(options, KEY_OPTIONS, 'flaskCookie()')
  const signing = readKeys(options)
  const format: ForeignFormat = {
    name: 'flask',
    secrets: signing.keys,
    idleTimeout: LIFETIME,
    absoluteTimeout: MAX_INTEGER,
    create: () => new FlaskFormat(new FlaskSigner(signing))
  }
  return Object.freeze(format)
}
