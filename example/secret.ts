import { randomBytes } from 'node:crypto'

/** Returns `SESSION_SECRET`, or a random secret. In production it makes none, so that the plugin refuses to start. */
export function secretFromEnvironment(): string | undefined {
  const { SESSION_SECRET, NODE_ENV } = process.env
  if (SESSION_SECRET !== undefined || NODE_ENV === 'production') return SESSION_SECRET
  console.log('SESSION_SECRET is not set: using a random one, so every restart logs everybody out.')
  return randomBytes(32).toString('hex')
}
