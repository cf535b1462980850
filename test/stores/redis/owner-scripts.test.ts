import t from 'tap'
import { admission } from '../../../lib/stores/admission.ts'
import type { Script } from '../../../lib/stores/redis/commands.ts'
import { ADMIT, ENTRIES, EXTEND, UNLIST } from '../../../lib/stores/redis/owner-scripts.ts'
import { toEntry, toKey } from '../../../lib/stores/redis/record.ts'
import { openRedis } from '../../helpers/redis.ts'

const NOW = 1_763_640_000
const LATER = NOW + 3600

const redis = await openRedis(t, 'scripts in Redis')
if (redis !== undefined) {
  let commands = 0

  /** Runs a script as the writer w, whose command may be applied until `limit`. */
  const runAs = async (
    { source }: Script,
    key: string,
    [number, limit]: readonly [number, number | ''],
    ...values: (string | number)[]
  ): Promise<string[]> => {
    const reply = await redis.eval(source, 1, key, NOW * 1000, 'w', number, 0, limit, ...values)
    return (reply as string[]).slice(1)
  }

  const run = (script: Script, key: string, ...values: (string | number)[]): Promise<string[]> =>
    runAs(script, key, [++commands, ''], ...values)

  const entriesOf = async (key: string): Promise<string[]> =>
    (await redis.eval(ENTRIES.source, 1, key, NOW * 1000)) as string[]

  t.test('the index decides as every store does', async (t) => {
    const keys = ['a', 'b', 'c', 'd', 'e'].map((character) => character.repeat(43))
    const limits = [1, 2, 3, 4, 5, 6].flatMap((max) =>
      [true, false].flatMap((evict) => [undefined, keys[0], keys[3]].map((replacing) => ({ max, evict, replacing })))
    )
    for (const [index, limit] of limits.entries()) {
      const name = `index${index}`
      // 7 and 100 compare as numbers.
      const live = keys.map((key, place) => ({ key, createdAt: [100, 7, 90, 8, 1000][place] as number }))
      for (const { key, createdAt } of live) await redis.zadd(name, LATER, toEntry(String(createdAt), key))
      const { max, evict, replacing } = limit
      const fresh = toEntry('2000', 'n'.repeat(43))
      const admit = (isChecked: number): Promise<string[]> =>
        run(ADMIT, name, LATER, fresh, max, evict ? 1 : 0, replacing ?? '', isChecked)
      const expected = admission(live, limit, replacing)
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
      t.equal((await entriesOf(name)).includes(fresh), expected !== 'refuse')
    }
  })

  t.test('stale entries take no place', async (t) => {
    const stale = toEntry('1', 's'.repeat(43))
    await redis.zadd('stale', LATER, stale)
    const fresh = toEntry('2', 'f'.repeat(43))
    t.same(await run(ADMIT, 'stale', LATER, fresh, 1, 0, '', 1), ['over-limit'])
    t.same(await run(ADMIT, 'stale', LATER, fresh, 1, 0, '', 1, stale), ['in'])
    t.same(await entriesOf('stale'), [fresh])
  })

  t.test('an entry that is marked to end stays marked when it is extended', async (t) => {
    await redis.zadd('marked', -LATER, 'old', LATER, 'live')
    for (const entry of ['old', 'live', 'unknown']) await run(EXTEND, 'marked', LATER + 10, entry)
    const scores = await Promise.all(['old', 'live', 'unknown'].map((entry) => redis.zscore('marked', entry)))
    t.same(scores.map(Number), [-LATER - 10, LATER + 10, LATER + 10])
    await run(EXTEND, 'marked', LATER, 'live')
    t.equal(Number(await redis.zscore('marked', 'live')), LATER + 10, 'and none is shortened')
    await run(UNLIST, 'marked', 'old', 'live')
    t.same(await entriesOf('marked'), ['unknown'])
  })

  t.test('a command that comes again evicts nobody else', async (t) => {
    const [first, second] = [toEntry('1', 'a'.repeat(43)), toEntry('2', 'b'.repeat(43))]
    const login = [LATER, first, 1, 1, '', 1] as const
    t.same(await runAs(ADMIT, 'again', [1001, ''], ...login), ['in'])
    t.same(await run(ADMIT, 'again', LATER, second, 1, 1, '', 1), ['in', first])
    t.same(await runAs(ADMIT, 'again', [1001, ''], ...login), ['in', first], 'the same again: it is to end')
    await run(UNLIST, 'again', first)
    t.same(await runAs(ADMIT, 'again', [1001, ''], ...login), ['in'], 'it has ended')
    t.same(await entriesOf('again'), [second])
  })

  t.test('no command is applied after its time', async (t) => {
    const past = Date.now() - 1000
    const entry = toEntry('1', 'a'.repeat(43))
    t.same(await runAs(ADMIT, 'late', [1002, past], LATER, entry, 0, 0, '', 1), ['late'])
    t.same(await runAs(EXTEND, 'late', [1003, past], LATER, entry), ['late'])
    t.equal(await redis.exists('late'), 0)
    t.same(await runAs(ADMIT, 'late', [1004, Date.now() + 60_000], LATER, entry, 0, 0, '', 1), ['in'])
    t.same(await runAs(UNLIST, 'late', [1005, past], entry), [], 'what has ended may leave late')
    t.same(await entriesOf('late'), [])
  })

  t.test('an index goes when nothing but marks is left in it', async (t) => {
    const entry = toEntry('1', 'a'.repeat(43))
    const limit = Date.now() + 5000
    await runAs(ADMIT, 'emptied', [1006, limit], LATER, entry, 0, 0, '', 1)
    t.ok((await redis.pttl('emptied')) > 60_000)
    await run(UNLIST, 'emptied', entry)
    const left = Math.ceil(limit / 1000 + 10) * 1000 - Date.now()
    t.ok(Math.abs((await redis.pttl('emptied')) - left) < 1000, 'when the mark has served')
    await redis.zadd('emptied', 'XX', Date.now() - 1, 'm:w:1006')
    await run(ADMIT, 'emptied', LATER, entry, 0, 0, '', 1)
    t.equal(await redis.zscore('emptied', 'm:w:1006'), null, 'or with the next command')
  })
}
