/** One cookie in a Cookie header: its value, and the position at which the search for the next one starts. */
export interface FoundCookie {
  readonly text: string
  readonly end: number
}

/**
 * Returns the first cookie of a name in a Cookie header, from a position on. Names are compared exactly. A browser sends
 * several cookies of one name if they were set for different paths or domains: see `cookiesNamed`.
 */
export function findCookie(header: string, name: string, from: number): FoundCookie | undefined {
  const start = `${name}=`
  for (let at = header.indexOf(start, from); at !== -1; at = header.indexOf(start, at + 1)) {
    let before = at
    while (before > 0 && isBlank(header, before - 1)) before--
    if (before > 0 && header[before - 1] !== ';') continue
    const semicolon = header.indexOf(';', at)
    const end = semicolon === -1 ? header.length : semicolon
    // Not trimEnd(), which also trims a no-break space: one cookie would have two spellings.
    let last = end
    while (isBlank(header, last - 1)) last--
    return { text: header.slice(at + start.length, last), end }
  }
  return undefined
}

/** Yields the values of all cookies of a name, in the order of the Cookie header. */
export function* cookiesNamed(header: string, name: string): Generator<string, undefined> {
  for (let cookie = findCookie(header, name, 0); cookie !== undefined; cookie = findCookie(header, name, cookie.end)) {
    yield cookie.text
  }
}

/** OWS of RFC 9110, section 5.6.3. Character codes, because an index outside of the string costs three times as much. */
function isBlank(header: string, at: number): boolean {
  const code = header.charCodeAt(at)
  return code === 0x20 || code === 0x09
}
