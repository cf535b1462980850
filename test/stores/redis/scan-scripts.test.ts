import t from 'tap'
import { NO_SESSION } from '../../../lib/data/no-session.ts'
import { IS_SESSION, SCAN } from '../../../lib/stores/redis/scan-scripts.ts'
import { openRedis } from '../../helpers/redis.ts'

const NOW = 1_763_640_000

const redis = await openRedis(t, 'scripts that scan Redis')
if (redis !== undefined) {
  t.test('a step finds the names with the prefix of the key, whatever is in it', async (t) => {
    const prefix = 'a*?[x]\\^-%.:'
    for (const name of ['one', 'two', '{5}']) await redis.set(prefix + name, '')
    for (const name of ['a1', 'axx', 'a*?x\\^-%.:one', prefix.slice(0, -1)]) await redis.set(name, '')
    const scan = (key: string, length: number): Promise<unknown> => redis.eval(SCAN.source, 1, key, length, '0', 1000)
    const [next, ...names] = (await scan(`${prefix}{7}`, 3)) as string[]
    t.equal(next, '0')
    t.same(names.sort(), ['one', 'two', '{5}'])
    t.equal(((await scan('', 0)) as string[]).length, 8, 'no prefix means all')
    const [cursor] = (await redis.eval(SCAN.source, 1, '', 0, '0', 1)) as string[]
    t.not(cursor, '0')
  })

  t.test('a live record that is no other thing is a session', async (t) => {
    const look = (key: string): Promise<unknown> => redis.eval(IS_SESSION.source, 1, key, NOW * 1000)
    await redis.hset('live', { e: NOW, x: ':v3' })
    await redis.hset('plain', { e: NOW + 1 })
    t.same([await look('live'), await look('plain')], [['1'], ['1']])
    await redis.hset('expired', { e: NOW - 1 })
    await redis.hset('pending', { e: NOW, n: '1' })
    await redis.hset('stub', { w: '1' })
    await redis.hset('tombstone', { e: NOW, x: NO_SESSION })
    await redis.hset('spoilt', { e: 'soon' })
    await redis.set('text', 'no hash')
    for (const key of ['expired', 'pending', 'stub', 'tombstone', 'none', 'spoilt', 'text']) {
      t.same(await look(key), [], key)
    }
  })
}
