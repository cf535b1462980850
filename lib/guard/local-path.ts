/** Longer ones are no pages that somebody wants to come back to, and would take up much of a cookie. */
const MAX_LENGTH = 1024

/** One slash at the start, and nothing that browsers drop (tabs, line breaks) or read as a slash. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const STARTS_HERE = /^\/(?!\/)[^\\\u0000-\u001f\u007f]*$/

/**
 * An address as a path of this server with its query and fragment, spelled as browsers spell it, or undefined where it could
 * lead elsewhere (open redirect, CWE-601).
 */
export function localPath(address: unknown): string | undefined {
  if (typeof address !== 'string' || !STARTS_HERE.test(address)) return undefined
  const { pathname, search, hash } = new URL(address, 'http://localhost')
  const path = pathname + search + hash
  // Taking the dots out of `/.//elsewhere` leaves the name of another server.
  return path.startsWith('//') || path.length > MAX_LENGTH ? undefined : path
}
