import type { SessionReader } from '../../types/adopt.ts'
import type { ResolvedAttributes } from '../cookie/attributes.ts'
import { resolveAttributes } from '../cookie/attributes.ts'
import { InvalidOptionError } from '../errors.ts'
import { isFunction, isString } from '../util/check.ts'

/** A reader, and the cookies that it reads. */
export interface Source {
  readonly reader: SessionReader
  readonly cookies: readonly OldCookieName[]
}

/** A cookie of another library. */
export interface OldCookieName {
  readonly name: string
  /** As the other library sets it. */
  readonly attributes: ResolvedAttributes
}

const CAN_ADOPT = 'such as expressSession() of fastify-typed-session/adopt'

/**
 * Checks the option `adopt`. `cookieName`: of the session. `remembers`: whether the mode can remember which sessions were adopted.
 * Throws `ERR_SESSION_OPTION_INVALID` and `ERR_SESSION_COOKIE_RULE`.
 */
export function readSources(given: unknown, cookieName: string, remembers: boolean): readonly Source[] {
  if (given === undefined) return []
  if (!Array.isArray(given) || !given.every(isReader)) {
    throw new InvalidOptionError(
      `The option adopt must be an array of readers, ${CAN_ADOPT}: objects with cookieName and read().`
    )
  }
  return given.map((reader) => readSource(reader, cookieName, remembers))
}

function readSource(reader: SessionReader, cookieName: string, remembers: boolean): Source {
  const { path = '/', domain, partitioned = false } = reader.cookie ?? {}
  const names = [reader.cookieName, ...(reader.otherCookies ?? [])]
  if (names.includes(cookieName)) {
    throw new InvalidOptionError(
      `The option adopt has a reader of the cookie '${cookieName}', which is that of the session: one would overwrite the other. Give the session another cookieName.`
    )
  }
  if (!reader.remove && !remembers) {
    throw new InvalidOptionError(
      `The reader of the cookie '${reader.cookieName}' leaves the old cookie where it is. Without a store nobody remembers after a logout that it opens nothing any more: set remove: true for the reader, or the option revocations.`
    )
  }
  const place = { path, domain, partitioned, ...(partitioned ? { secure: true } : {}) }
  return { reader, cookies: names.map((name) => ({ name, attributes: resolveAttributes(name, place) })) }
}

function isReader(value: unknown): value is SessionReader {
  const { cookieName, read } = Object(value) as Partial<SessionReader>
  return isString(cookieName) && isFunction(read)
}
