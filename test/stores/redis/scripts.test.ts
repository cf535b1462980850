import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import { admission } from '../../../lib/stores/admission.ts'
import { toEntry, toKey } from '../../../lib/stores/redis/record.ts'
import * as scripts from '../../../lib/stores/redis/scripts.ts'
import type { OwnerLimit } from '../../../types/store.ts'
import { startRedis } from '../../helpers/redis.ts'
import { cannotTest } from '../../helpers/service.ts'

const { ADMIT, ENTRIES, EXTEND, UNLIST } = scripts
const NOW = 1_763_640_000
const LATER = NOW + 3600

t.test('a script is called by the SHA-1 of its source, and no two are one', async (t) => {
  const all = Object.values(scripts)
  for (const { source, sha } of all) t.equal(sha, createHash('sha1').update(source).digest('hex'))
  t.equal(new Set(all.map(({ sha }) => sha)).size, 9)
})

t.test('a script names no key but the one that it is given, as a cluster demands', async (t) => {
  for (const [name, { source }] of Object.entries(scripts)) {
    const keys = [...source.matchAll(/redis\.call\('\w+', (\w+)/g)].map(([, key]) => key)
    t.same([...new Set(keys)], ['key'], name)
    t.equal(source.split('KEYS').length, 2, name)
  }
})

const servers = await startRedis()
if (servers === undefined) {
  cannotTest(t, 'scripts in Redis', 'there is no redis-server to start')
} else {
  const redis = new Redis({ host: '127.0.0.1', port: servers.ports[0] as number })
  t.teardown(async () => {
    redis.disconnect()
    await servers.end()
  })

  t.test('Redis compiles each script, and knows it by its hash', async (t) => {
    for (const [name, { source, sha }] of Object.entries(scripts))
      t.equal(await redis.script('LOAD', source), sha, name)
  })

  const run = async ({ source }: (typeof scripts)['ADMIT'], key: string, ...values: (string | number)[]) =>
    (await redis.eval(source, 1, key, NOW * 1000, ...values)) as string[]

  t.test('the index decides as every store does', async (t) => {
    const keys = ['a', 'b', 'c', 'd', 'e'].map((character) => character.repeat(43))
    const limits: OwnerLimit[] = [1, 2, 3, 4, 5, 6].flatMap((max) =>
      [true, false].flatMap((evict) => [undefined, keys[0], keys[3]].map((replacing) => ({ max, evict, replacing })))
    )
    for (const [index, limit] of limits.entries()) {
      const name = `index${index}`
      // 7 and 100 compare as numbers.
      const live = keys.map((key, place) => ({ key, createdAt: [100, 7, 90, 8, 1000][place] as number }))
      for (const { key, createdAt } of live) await redis.zadd(name, LATER, toEntry(String(createdAt), key))
      const { max, evict, replacing = '' } = limit
      const fresh = toEntry('2000', 'n'.repeat(43))
      const admit = (isChecked: number): Promise<string[]> =>
        run(ADMIT, name, LATER, fresh, max, evict ? 1 : 0, replacing, isChecked)
      const expected = admission(live, limit)
      const isFull = expected === 'refuse' || expected.length > 0
      if (isFull) {
        const [result, ...entries] = await admit(0)
        t.equal(result, 'full', 'it asks for stale entries first')
        t.same(entries.map(toKey).sort(), keys.filter((key) => key !== replacing).sort())
      }
      const [result, ...ended] = await admit(1)
      t.equal(result, expected === 'refuse' ? 'over-limit' : 'in', JSON.stringify(limit))
      const evicted = expected === 'refuse' ? [] : expected.map(({ key }) => key).sort()
      t.same(ended.map(toKey).sort(), evicted, JSON.stringify(limit))
      t.equal((await run(ENTRIES, name)).includes(fresh), expected !== 'refuse')
    }
  })

  t.test('stale entries take no place', async (t) => {
    const stale = toEntry('1', 's'.repeat(43))
    await redis.zadd('stale', LATER, stale)
    const fresh = toEntry('2', 'f'.repeat(43))
    t.same(await run(ADMIT, 'stale', LATER, fresh, 1, 0, '', 1), ['over-limit'])
    t.same(await run(ADMIT, 'stale', LATER, fresh, 1, 0, '', 1, stale), ['in'])
    t.same(await run(ENTRIES, 'stale'), [fresh])
  })

  t.test('an entry that is marked to end stays marked when it is extended', async (t) => {
    await redis.zadd('marked', -LATER, 'old', LATER, 'live')
    for (const entry of ['old', 'live', 'unknown']) await run(EXTEND, 'marked', LATER + 10, entry)
    const scores = await Promise.all(['old', 'live', 'unknown'].map((entry) => redis.zscore('marked', entry)))
    t.same(scores.map(Number), [-LATER - 10, LATER + 10, LATER + 10])
    await run(EXTEND, 'marked', LATER, 'live')
    t.equal(Number(await redis.zscore('marked', 'live')), LATER + 10, 'and none is shortened')
    await run(UNLIST, 'marked', 'old', 'live')
    t.same(await run(ENTRIES, 'marked'), ['unknown'])
  })
}
