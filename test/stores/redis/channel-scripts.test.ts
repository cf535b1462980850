import { once } from 'node:events'
import t from 'tap'
import { NAME, PUBLISH } from '../../../lib/stores/redis/channel-scripts.ts'
import { openRedis } from '../../helpers/redis.ts'

const redis = await openRedis(t, 'scripts of a channel in Redis')
if (redis !== undefined) {
  t.test('a message goes to the channel with the name of the key', async (t) => {
    const subscriber = redis.duplicate()
    t.teardown(() => subscriber.disconnect())
    t.same(await redis.eval(NAME.source, 1, 'app:endings'), ['app:endings'])
    await subscriber.subscribe('app:endings')
    const heard = once(subscriber, 'message')
    t.same(await redis.eval(PUBLISH.source, 1, 'app:endings', 'hello'), [])
    t.same(await heard, ['app:endings', 'hello'])
  })
}
