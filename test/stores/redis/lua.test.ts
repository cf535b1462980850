import { createHash } from 'node:crypto'
import t from 'tap'
import type { Script } from '../../../lib/stores/redis/commands.ts'
import { TIME } from '../../../lib/stores/redis/lua.ts'
import * as ownerScripts from '../../../lib/stores/redis/owner-scripts.ts'
import * as recordScripts from '../../../lib/stores/redis/record-scripts.ts'
import { openRedis } from '../../helpers/redis.ts'

const ALL: Readonly<Record<string, Script>> = { TIME, ...ownerScripts, ...recordScripts }

t.test('a script is called by the SHA-1 of its source, and no two are one', async (t) => {
  const all = Object.values(ALL)
  for (const { source, sha } of all) t.equal(sha, createHash('sha1').update(source).digest('hex'))
  t.equal(new Set(all.map(({ sha }) => sha)).size, 11)
})

t.test('a script names no key but the one that it is given, as a cluster demands', async (t) => {
  for (const [name, { source }] of Object.entries({ ...ownerScripts, ...recordScripts })) {
    const keys = [...source.matchAll(/redis\.p?call\('\w+', (\w+)/g)].map(([, key]) => key)
    t.same([...new Set(keys)], ['key'], name)
    t.equal(source.split('KEYS').length, 2, name)
  }
})

const redis = await openRedis(t, 'scripts in Redis')
if (redis !== undefined) {
  t.test('Redis compiles each script, and knows it by its hash', async (t) => {
    for (const [name, { source, sha }] of Object.entries(ALL)) t.equal(await redis.script('LOAD', source), sha, name)
  })

  t.test('the time of the server is in milliseconds, with its fraction', async (t) => {
    const before = Date.now()
    const [time, ...rest] = (await redis.eval(TIME.source, 1, 'any')) as [string]
    t.match(time, /^\d{13}\.\d{3}$/)
    t.ok(Number(time) >= before && Number(time) <= Date.now() + 1)
    t.same(rest, [])
  })
}
