import t from 'tap'
import { toCommands } from '../../../lib/stores/redis/client.ts'
import { KeyNames } from '../../../lib/stores/redis/key-names.ts'
import { OwnerIndex } from '../../../lib/stores/redis/owner-index.ts'
import { toEntry } from '../../../lib/stores/redis/record.ts'
import { ScriptRunner } from '../../../lib/stores/redis/runner.ts'
import { when } from '../../helpers/fake-time.ts'
import { openRedis } from '../../helpers/redis.ts'

const NOW = 1_763_640_000
const LATER = NOW + 3600
const ADA = '"ada"'

const redis = await openRedis(t, 'an index in Redis')
if (redis !== undefined) {
  const names = new KeyNames('session:')
  const index = new OwnerIndex(new ScriptRunner(toCommands(redis), () => NOW * 1000), names)

  /** Adds a record and its entry. */
  const add = async (key: string, createdAt: number): Promise<string> => {
    await redis.hset(names.ofRecord(key), { e: LATER, o: ADA, c: createdAt })
    const entry = toEntry(String(createdAt), key)
    t.same(await index.admit(ADA, entry, LATER, undefined, undefined), [])
    return entry
  }
  t.beforeEach(() => redis.flushall())

  t.test('a limit looks for stale entries, then ends the oldest records or refuses', async (t) => {
    const [stale, first, second] = [
      await add('stale', NOW - 3),
      await add('first', NOW - 2),
      await add('second', NOW - 1)
    ]
    await redis.del(names.ofRecord('stale'))
    const refuse = { max: 2, evict: false }
    t.equal(await index.admit(ADA, toEntry(String(NOW), 'third'), LATER, refuse, undefined), undefined)
    t.same((await index.entries(ADA)).sort(), [first, second].sort(), `without ${stale}`)
    t.same(await index.admit(ADA, toEntry(String(NOW), 'third'), LATER, { max: 2, evict: true }, undefined), ['first'])
    t.same((await index.entries(ADA)).sort(), [second, toEntry(String(NOW), 'third')].sort())
    t.equal(await redis.hexists(names.ofRecord('first'), 'e'), 0)
  })

  t.test('the record that is replaced neither counts nor ends', async (t) => {
    await add('first', NOW - 1)
    const call = { deadline: performance.now() + 60_000, replacing: 'first' }
    const entry = toEntry(String(NOW), 'second')
    t.same(await index.admit(ADA, entry, LATER, { max: 1, evict: true }, call), [])
    t.equal((await index.entries(ADA)).length, 2)
    t.equal(await redis.hexists(names.ofRecord('first'), 'e'), 1)
  })

  t.test('records that end are counted, and leave the index', async (t) => {
    const entries = [await add('first', NOW), await add('second', NOW), await add('third', NOW)]
    await redis.del(names.ofRecord('second'))
    t.equal(await index.end(ADA, entries, undefined), 2)
    t.same(await index.entries(ADA), [])
    t.equal(await index.end(ADA, [], undefined), 0)
  })

  t.test('one entry is extended or removed', async (t) => {
    const entry = await add('first', NOW)
    await index.extend(ADA, entry, LATER + 9, undefined)
    t.equal(await redis.zscore(names.ofIndex(ADA), entry), String(LATER + 9))
    await index.unlist('first', '', String(NOW))
    t.same(await index.entries(ADA), [entry], 'a record without an owner is in no index')
    await index.unlist('first', ADA, String(NOW))
    t.same(await index.entries(ADA), [])
  })

  t.test('an entry whose index is lost is added again, and a failure of that is no harm', async (t) => {
    const entry = await add('first', NOW)
    await redis.del(names.ofIndex(ADA))
    index.restore(ADA, entry, LATER)
    await when(async () => (await index.entries(ADA)).length === 1)
    t.equal(await redis.zscore(names.ofIndex(ADA), entry), String(LATER))
    await redis.set(names.ofIndex(ADA), 'no index')
    index.restore(ADA, entry, LATER)
    await new Promise(setImmediate)
    t.equal(await redis.get(names.ofIndex(ADA)), 'no index')
  })

  t.test('an entry that cannot be removed is no failure, because its record has ended', async (t) => {
    await redis.set(names.ofIndex(ADA), 'no index')
    await index.unlist('first', ADA, String(NOW))
    t.equal(await redis.get(names.ofIndex(ADA)), 'no index')
  })
}
