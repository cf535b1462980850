import type { Secret } from './options.ts'

/** The hash functions of Python's `hashlib` with which a Flask application can sign. */
export type FlaskDigest = 'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512'

/** The keys with which a Flask application signs its session cookie. */
export interface FlaskKeyOptions {
  /**
   * The `SECRET_KEY` of the Flask application: a string, which stands for its bytes in UTF-8, or bytes. It needs 16 characters or
   * bytes, because whoever guesses it is everybody. Required.
   *
   * Throws `ERR_SESSION_SECRET_MISSING` when it is undefined or empty, `ERR_SESSION_SECRET_WEAK` when it is too short or can be
   * guessed, and `ERR_SESSION_OPTION_INVALID` when it is neither text nor bytes, or is among `fallbacks`, too.
   *
   * @example
   * ```ts
   * await app.register(session, { format: flaskCookie({ secretKey: process.env.FLASK_SECRET_KEY }) })
   * ```
   */
  readonly secretKey: Secret | undefined
  /**
   * The `SECRET_KEY_FALLBACKS` of the Flask application (Flask 3.1): older keys, which open cookies and sign none. Default none.
   *
   * @example
   * ```ts
   * const { FLASK_SECRET_KEY, FLASK_OLD_SECRET_KEY = '' } = process.env
   * const format = flaskCookie({ secretKey: FLASK_SECRET_KEY, fallbacks: [FLASK_OLD_SECRET_KEY] })
   * await app.register(session, { format })
   * ```
   */
  readonly fallbacks?: readonly Secret[] | undefined
  /**
   * The `salt` of its `SecureCookieSessionInterface`, which keeps cookies of different purposes apart. Default `'cookie-session'`, as
   * in Flask.
   *
   * @example
   * ```ts
   * const format = flaskCookie({ secretKey: process.env.FLASK_SECRET_KEY, salt: 'shop-session' })
   * await app.register(session, { format })
   * ```
   */
  readonly salt?: string | undefined
  /**
   * The `digest_method` of its `SecureCookieSessionInterface`. Default `'sha1'`, as in Flask: as part of an HMAC, SHA-1 is not known
   * to be broken (RFC 6194, section 3.3).
   *
   * @example
   * ```ts
   * const format = flaskCookie({ secretKey: process.env.FLASK_SECRET_KEY, digest: 'sha256' })
   * await app.register(session, { format })
   * ```
   */
  readonly digest?: FlaskDigest | undefined
}

/** The options of `flaskCookie()`. */
export interface FlaskCookieOptions extends FlaskKeyOptions {}

/** A tuple of Python, as it stands in a session of Flask. */
export interface FlaskTuple<Items extends readonly unknown[] = readonly unknown[]> {
  /** Its items. */
  readonly ' t': Items
}

/** `bytes` of Python, as they stand in a session of Flask: in Base64. */
export interface FlaskBytes {
  /** The bytes in Base64. */
  readonly ' b': string
}

/** A `Markup` of MarkupSafe, as it stands in a session of Flask: HTML that templates do not escape again. */
export interface FlaskMarkup {
  /** The HTML. */
  readonly ' m': string
}

/** A `UUID` of Python, as it stands in a session of Flask: 32 hexadecimal digits. */
export interface FlaskUuid {
  /** Its digits, without hyphens. */
  readonly ' u': string
}

/** A `datetime` of Python, as it stands in a session of Flask: an HTTP date (RFC 9110, section 5.6.7), in whole seconds. */
export interface FlaskDateTime {
  /** Its time in UTC. */
  readonly ' d': string
}
