import t from 'tap'
import type { Script } from '../../../lib/stores/redis/commands.ts'
import { ADD, PAGE, SINCE } from '../../../lib/stores/redis/revocation-scripts.ts'
import { openRedis } from '../../helpers/redis.ts'

const NOW = 1_763_640_000

const redis = await openRedis(t, 'scripts of a list in Redis')
if (redis !== undefined) {
  const run = async ({ source }: Script, key: string, ...values: (string | number)[]): Promise<string[]> =>
    (await redis.eval(source, 1, key, ...values)) as string[]
  const add = (key: string, id: string, last = NOW + 60, mark = id): Promise<string[]> =>
    run(ADD, key, NOW, 'epoch', mark, last, id, `{"id":"${id}"}`)

  t.test('an entry is added once', async (t) => {
    t.same(await add('once', 'a'), [''])
    t.same(await add('once', 'a'), [''], 'the same command again')
    t.same(await add('once', 'a', NOW + 60, 'other'), ['{"id":"a"}'])
    t.same(await run(ADD, 'once', NOW, 'other', 'mark', NOW, '-', '{}'), [''])
    t.same(await run(ADD, 'once', NOW, 'other', 'mark', NOW, '-', '{}'), [''])
    t.same(await run(SINCE, 'once', NOW, '-', 0, '-'), ['epoch', '3', 'mark', '', '{"id":"a"}', '{}', '{}'])
    t.same(await run(SINCE, 'once', NOW + 1, 'epoch', 1, 'a'), ['epoch', '3', 'mark', ''])
  })

  t.test('a list that is not there is empty', async (t) => {
    t.same(await run(SINCE, 'none', NOW, '-', 0, '-'), ['-', '0', '-', ''])
  })

  t.test('a page has so many entries', async (t) => {
    await Promise.all(Array.from({ length: PAGE + 1 }, (_, index) => add('long', `id${index}`)))
    const [epoch, number, mark, hasMore, ...entries] = await run(SINCE, 'long', NOW, '-', 0, '-')
    t.same([epoch, number, hasMore, entries.length], ['epoch', String(PAGE), '1', PAGE])
    t.same((await run(SINCE, 'long', NOW, 'epoch', number as string, mark as string)).slice(3), [
      '',
      `{"id":"id${PAGE}"}`
    ])
  })

  t.test('what is over is removed when something is added, a hundred at a time', async (t) => {
    for (let index = 0; index < 120; index++) await add('over', `id${index}`, NOW)
    await run(ADD, 'over', NOW + 1, 'epoch', 'm', NOW + 60, 'id110', '{"id":"again"}')
    t.equal(await redis.hlen('over'), 3 + 2 * 20 + 1)
    t.same((await run(SINCE, 'over', NOW + 1, '-', 0, '-')).slice(1), ['121', 'm', '', '{"id":"again"}'])
    await run(ADD, 'over', NOW + 1, 'epoch', 'n', NOW + 60, 'new', '{}')
    t.equal(await redis.hlen('over'), 3 + 2 * 2)
    t.equal(await redis.hget('over', 's:id110'), '121')
  })
}
