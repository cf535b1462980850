import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from 'redis'
import t from 'tap'
import type { FlaskRecords } from '../../lib/adopt/flask-records.ts'
import { cachelibFiles, toFlaskRecords } from '../../lib/adopt/flask-records.ts'
import { openRedis } from '../helpers/redis.ts'

const INVALID = { code: 'ERR_SESSION_OPTION_INVALID' }
const BYTES = Buffer.from([0x81, 0xa1, 0x6e, 0xcd, 0xff, 0x00, 0x80])

t.test('a client of Redis gives the bytes as they are', async (t) => {
  const ioredis = await openRedis(t, 'records of Flask-Session in Redis')
  if (ioredis === undefined) return
  const nodeRedis = await createClient({ url: `redis://127.0.0.1:${ioredis.options.port}` }).connect()
  t.teardown(() => nodeRedis.destroy())
  for (const client of [ioredis, nodeRedis]) {
    const records = toFlaskRecords(client)
    await ioredis.set('session:a', BYTES)
    t.same(Buffer.from((await records.get('session:a')) as Uint8Array), BYTES)
    await records.delete('session:a')
    t.equal(await records.get('session:a'), null)
    await records.delete('session:a')
  }
})

t.test('an object with get and delete is taken as it is, and nothing else', (t) => {
  const own: FlaskRecords = { get: async () => BYTES, delete: async () => undefined }
  t.equal(toFlaskRecords(own), own)
  for (const wrong of [
    undefined,
    null,
    'redis://secret@host',
    {},
    { get() {} },
    { getBuffer() {} },
    { withTypeMapping() {} }
  ]) {
    t.throws(() => toFlaskRecords(wrong), { ...INVALID, message: /^(?!.*secret)/ })
  }
  t.end()
})

t.test('files of cachelib are found by the digest of their key, until they end', async (t) => {
  const directory = t.testdir({})
  const records = cachelibFiles({ directory })
  const fileOf = (key: string): string => join(directory, createHash('md5').update(key).digest('hex'))
  const write = (key: string, end: number, text: string): void => {
    const head = Buffer.alloc(4)
    // As Python's struct does on this machine.
    new Uint32Array(head.buffer, head.byteOffset, 1)[0] = end
    writeFileSync(fileOf(key), Buffer.concat([head, Buffer.from(text)]))
  }
  write('session:a', 0, '{"n":1}')
  write('session:b', Math.floor(Date.now() / 1000) + 100, '{"n":2}')
  write('session:c', Math.floor(Date.now() / 1000) - 1, '{"n":3}')
  writeFileSync(fileOf('session:d'), 'abc')
  const textOf = async (key: string): Promise<string | undefined> => {
    const bytes = await records.get(key)
    return bytes ? Buffer.from(bytes).toString() : undefined
  }
  t.equal(await textOf('session:a'), '{"n":1}')
  t.equal(await textOf('session:b'), '{"n":2}')
  t.equal(await textOf('session:c'), undefined)
  t.equal(await textOf('session:d'), undefined)
  t.equal(await textOf('../../etc/passwd'), undefined)
  await records.delete('session:a')
  t.equal(existsSync(fileOf('session:a')), false)
  await records.delete('session:a')
  mkdirSync(fileOf('session:e'))
  await t.rejects(records.get('session:e'), { code: 'EISDIR' })
})

t.test('the folder is checked', (t) => {
  for (const directory of [undefined, '', 5]) {
    t.throws(() => cachelibFiles({ directory } as never), INVALID)
  }
  t.end()
})
