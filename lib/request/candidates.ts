import { findCookie } from '../cookie/read.ts'
import { readLastSeenAt } from '../format/record.ts'

/** Browsers send a few cookies of one name. Hundreds, each to be verified, are an attack. */
const MAX_CANDIDATES = 8

/** The values of the cookies of one name in a Cookie header, in the order in which they are tried. */
export interface Candidates {
  readonly values: readonly string[]
  /** Whether there are more, which are not tried. */
  readonly isCut: boolean
}

/**
 * A browser sends several cookies of one name after `domain` or `path` of a cookie was changed, the older one often first. So the
 * one with the newest activity comes first here. It may claim a time that is not true: then it does not open. Of equal ones the
 * last comes first: of one path, browsers send cookies in the order of their creation (RFC 6265bis, section 5.8.3).
 */
export function candidatesIn(
  header: string,
  name: string,
  readStamp: typeof readLastSeenAt = readLastSeenAt
): Candidates {
  const values: string[] = []
  // Not by the generator `cookiesNamed`, which costs more than the search, on every request.
  let cookie = findCookie(header, name, 0)
  while (cookie !== undefined && values.length < MAX_CANDIDATES) {
    values.push(cookie.text)
    cookie = findCookie(header, name, cookie.end)
  }
  if (values.length > 1) values.reverse().sort((one, other) => (readStamp(other) || 0) - (readStamp(one) || 0))
  return { values, isCut: cookie !== undefined }
}
