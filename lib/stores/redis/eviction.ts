/** Warns if Redis removes sessions when its memory is full. `info`: the section `memory` of INFO. */
export function warnOfEviction(info: string): void {
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction'
  // Without a limit it removes nothing, whatever the policy.
  const isLimited = /^maxmemory:[1-9]/m.test(info)
  if (policy === 'noeviction' || !isLimited) return
  process.emitWarning(
    `Redis has the maxmemory-policy ${policy}: when its memory is full, it removes sessions, which logs people out. Set noeviction.`,
    { type: 'SessionStoreWarning', code: 'SESSION_REDIS_EVICTS' }
  )
}
