import type { ResolvedAttributes } from './attributes.ts'

/**
 * Whether a Set-Cookie line clears a cookie, as `reply.clearCookie()` of `@fastify/cookie` does: the one with this name, and of this
 * domain and path. Lines for other places are about other cookies, such as older ones of the name.
 */
export function clearsCookie(line: string, name: string, { domain, path }: ResolvedAttributes): boolean {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
  if (pair !== `${name}=`) return false
  const attributeOf = (attribute: string): string | undefined =>
    attributes.find((text) => text.toLowerCase().startsWith(`${attribute}=`))?.slice(attribute.length + 1)
  return hostOf(attributeOf('domain')) === hostOf(domain) && attributeOf('path') === path
}

/** Browsers ignore the case and a leading dot (RFC 6265bis, section 5.6.3). */
function hostOf(domain: string | undefined): string {
  return (domain ?? '').toLowerCase().replace(/^\./, '')
}
