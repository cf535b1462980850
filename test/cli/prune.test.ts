import t from 'tap'
import { openFile } from '../../lib/cli/open-file.ts'
import { addressOf, addSession, makeDirectory, NOW } from '../helpers/cli-stores.ts'
import { openRedis } from '../helpers/redis.ts'
import { run } from '../helpers/run-cli.ts'

t.test('prune removes expired sessions', async (t) => {
  const directory = makeDirectory(t)
  const { store, close } = openFile(addressOf(directory))
  await addSession(store, 'a', 'ana', -1)
  await addSession(store, 'b', 'ana')
  t.match(await run(['prune', '--store', `file:${directory}`], { now: NOW * 1000 }), {
    code: 0,
    out: 'Removed 1 expired.'
  })
  t.equal((await store.list('ana')).length, 1)
  await close()
  t.match(await run(['prune', 'x']), { code: 2, err: 'prune takes no argument.' })
})

const redis = await openRedis(t, 'prune')
if (redis !== undefined) {
  t.test('Redis needs no prune', async (t) => {
    const url = `redis://127.0.0.1:${redis.options.port}`
    t.match(await run(['prune', '--store', url]), { code: 0, out: 'Redis removes expired sessions itself.' })
  })
}
