import t from 'tap'
import type { Script } from '../../../lib/stores/redis/commands.ts'
import type { IoredisClient } from '../../../lib/stores/redis/ioredis.ts'
import { fromIoredis } from '../../../lib/stores/redis/ioredis.ts'

const SCRIPT: Script = { source: 'return ARGV', sha: 'd1e5' }

const FORGOTTEN = new Error('NOSCRIPT No matching script.')

t.test('ioredis is asked in its own way', async (t) => {
  const asked: unknown[] = []
  const client: IoredisClient = {
    status: 'ready',
    async hgetall(...args) {
      asked.push(['hgetall', ...args])
      return { v: '0' }
    },
    async evalsha(...args) {
      asked.push(['evalsha', ...args])
      throw FORGOTTEN
    },
    async eval(...args) {
      asked.push(['eval', ...args])
      return [Buffer.from('done'), 1]
    },
    async info(...args) {
      asked.push(['info', ...args])
      return Buffer.from('maxmemory:0')
    }
  }
  const commands = fromIoredis(client)
  t.same(await commands.getAll('name'), { v: '0' })
  t.same(await commands.run(SCRIPT, 'name', ['a', 'b']), ['done', '1'])
  t.equal(await commands.memoryInfo(), 'maxmemory:0')
  t.same(asked, [
    ['hgetall', 'name'],
    ['evalsha', 'd1e5', 1, 'name', 'a', 'b'],
    ['eval', 'return ARGV', 1, 'name', 'a', 'b'],
    ['info', 'memory']
  ])
})
