/** A longer path would fill much of a cookie, and is hardly the path of a page. */
const MAX_LENGTH = 1024

/** One slash at the start, and no character that browsers remove (tabs, line breaks) or read as a slash. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it refuses them
const LOCAL = /^\/(?!\/)[^\\\u0000-\u001f\u007f]*$/

/**
 * Returns a path of this server with its query and fragment, as the URL standard serializes it. Returns undefined for an
 * address that could lead to another server (open redirect, CWE-601).
 */
export function localPath(address: unknown): string | undefined {
  if (typeof address !== 'string' || !LOCAL.test(address)) return undefined
  const { pathname, search, hash } = new URL(address, 'http://localhost')
  const path = pathname + search + hash
  // Without its dot segment, `/.//elsewhere` becomes `//elsewhere`, which is another server.
  return path.startsWith('//') || path.length > MAX_LENGTH ? undefined : path
}
