import { MAX_SECONDS } from '../format/record.ts'

const RADIX = 256
/** Five bytes. More hold no time of a session. */
const MAX_CHARACTERS = 7

/** The bytes of a number of seconds, the highest first and without leading zeros, as base64url. */
export function encodeTimestamp(seconds: number): string {
  const bytes: number[] = []
  for (let rest = seconds; rest > 0; rest = Math.floor(rest / RADIX)) bytes.unshift(rest % RADIX)
  return Buffer.from(bytes).toString('base64url')
}

/** The opposite; NaN for any other text. */
export function decodeTimestamp(text: string): number {
  if (text === '' || text.length > MAX_CHARACTERS) return Number.NaN
  const seconds = Buffer.from(text, 'base64url').reduce((sum, byte) => sum * RADIX + byte, 0)
  return seconds <= MAX_SECONDS && encodeTimestamp(seconds) === text ? seconds : Number.NaN
}

/** The timestamp of the cookie value that starts at `from`, as it claims; NaN if there is none. */
export function readTimestamp(text: string, from = 0): number {
  const semicolon = text.indexOf(';', from)
  const end = semicolon === -1 ? text.length : semicolon
  const macAt = text.lastIndexOf('.', end - 1)
  const stampAt = text.lastIndexOf('.', macAt - 1)
  return stampAt <= from ? Number.NaN : decodeTimestamp(text.slice(stampAt + 1, macAt))
}
