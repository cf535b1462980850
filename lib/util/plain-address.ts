import { isIPv6 } from 'node:net'

const MAPPED = /^\[::ffff:([\da-f]+):([\da-f]+)\]$/

/**
 * Returns the IPv4 address that an IPv6 address stands for (RFC 4291, section 2.5.5.2), in whatever spelling; any other text as it
 * is. A server that listens on `::` sees IPv4 clients so, and one that listens on `0.0.0.0` sees the same clients without the
 * prefix. A request that comes through no socket has no address: `''`.
 */
export function plainAddress(address = ''): string {
  // The URL standard has one spelling for each IPv6 address, without a zone.
  const url = `http://[${address}]`
  const mapped = isIPv6(address) && URL.canParse(url) ? MAPPED.exec(new URL(url).hostname) : null
  if (mapped === null) return address
  return mapped
    .slice(1)
    .map((digits) => Number.parseInt(digits, 16))
    .flatMap((word) => [word >> 8, word & 0xff])
    .join('.')
}
