import { randomBytes } from 'node:crypto'

/** `SESSION_SECRET`, or a random one. In production a missing secret reaches the plugin, which refuses to start. */
export function secretFromEnvironment(): string | undefined {
  const { SESSION_SECRET, NODE_ENV } = process.env
  if (SESSION_SECRET !== undefined || NODE_ENV === 'production') return SESSION_SECRET
  console.log('SESSION_SECRET is not set: using a random one, so every restart logs everybody out.')
  return randomBytes(32).toString('hex')
}
