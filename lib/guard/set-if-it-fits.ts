import type { RequestSession } from '../request/session.ts'

/** Sets a member of a session, unless the session would become too large for its cookie, or for the store. */
export function setIfItFits(session: RequestSession, key: string, value: unknown): void {
  const before = session.get(key)
  session.set(key, value)
  const { bytes, limit } = session.size()
  if (bytes > limit) session.set(key, before)
}
