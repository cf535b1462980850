import t from 'tap'
import { warnOfEviction } from '../../../lib/stores/redis/eviction.ts'

const infoOf = (maxmemory: number, policy: string): string =>
  `# Memory\r\nused_memory:1\r\nmaxmemory:${maxmemory}\r\nmaxmemory_human:0B\r\nmaxmemory_policy:${policy}\r\nallocator:x\r\n`

t.test('a Redis that removes sessions when it is full is worth a warning', async (t) => {
  const warnings = t.capture(process, 'emitWarning', () => {})
  for (const policy of ['allkeys-lru', 'volatile-ttl']) warnOfEviction(infoOf(1000, policy))
  t.match(
    warnings().map(({ args }) => args),
    ['allkeys-lru', 'volatile-ttl'].map((policy) => [
      new RegExp(`maxmemory-policy ${policy}: .* Set noeviction\\.$`),
      { type: 'SessionStoreWarning', code: 'SESSION_REDIS_EVICTS' }
    ])
  )
})

t.test('one that has no limit, refuses instead, or does not tell, is not', async (t) => {
  const warnings = t.capture(process, 'emitWarning', () => {})
  for (const info of [infoOf(0, 'allkeys-lru'), infoOf(1000, 'noeviction'), 'undefined', '']) warnOfEviction(info)
  t.same(warnings(), [])
})
