import type { FastifyRequest } from 'fastify'
import type { DeviceEvent, DeviceRefusal } from '../../types/device-bound.ts'
import type { ProofToken } from './proof-token.ts'
import { readProofToken } from './proof-token.ts'
import { parseItem, parseList } from './structured-field.ts'

type HeaderRequest = Pick<FastifyRequest, 'protocol' | 'headers'>

const SKIPPED = ['unreachable', 'server_error', 'quota_exceeded'] as const

/** Returns what the browser has signed, or why there is nothing to judge. */
export function readTokenOf({ protocol, headers }: HeaderRequest): ProofToken | DeviceRefusal {
  const header = headers['secure-session-response']
  if (protocol !== 'https') return 'insecure-transport'
  if (header === undefined) return 'not-a-browser'
  const text = parseItem(String(header))?.value
  return (text === undefined ? undefined : readProofToken(text)) ?? 'malformed'
}

/** Returns the identifier of the session that a browser wants to refresh. Pages cannot write this header. */
export function readIdentifierOf({ headers }: HeaderRequest): string | undefined {
  return parseItem(String(headers['sec-secure-session-id'] ?? ''))?.value
}

/** Returns what a browser says of a refresh that it has skipped. Undefined if it says nothing of that. */
export function readSkippedOf({ headers }: HeaderRequest): DeviceEvent['reason'] {
  const header = headers['secure-session-skipped']
  if (header === undefined) return undefined
  const [item] = parseList(String(header)) ?? []
  return SKIPPED.find((known) => known === item?.value) ?? 'other'
}
