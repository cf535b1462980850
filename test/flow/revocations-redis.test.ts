import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import t from 'tap'
import { RedisRevocations } from '../../lib/stores/redis/index.ts'
import { readSession } from '../../lib/testing/read-session.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import type { LooseOptions, TestApp } from '../helpers/app.ts'
import { createApp } from '../helpers/app.ts'
import { when } from '../helpers/fake-time.ts'
import { startRedis } from '../helpers/redis.ts'
import { cannotTest, freePort, Service, until } from '../helpers/service.ts'
import { TcpProxy } from '../helpers/tcp-proxy.ts'

const HOST = '127.0.0.1'
const REVOCATIONS = 1000
/** In milliseconds. The machine of the tests has other work: the figures of docs/revocation.md are of one that has not. */
const MEDIAN = 50

/** An application with connections of its own. */
async function open(t: Test, port: number, options: LooseOptions = {}): Promise<TestApp> {
  const client = new Redis({ host: HOST, port, retryStrategy: () => 20, maxRetriesPerRequest: null })
  client.on('error', () => {})
  const made = await createApp({
    ...options,
    clock: () => Date.now(),
    revocations: new RedisRevocations({ client })
  })
  const { app } = made
  app.get('/name', async ({ session }) => session.name ?? 'nobody')
  app.post('/logout', async ({ session }) => session.destroy())
  t.teardown(async () => {
    await app.close()
    client.disconnect()
  })
  return made
}

const statusOf = async ({ app }: TestApp, cookie: string): Promise<string | number> => {
  const { statusCode, body } = await app.inject({ url: '/name', headers: { cookie } })
  return statusCode === 200 ? body : statusCode
}

const logOut = async ({ app }: TestApp, cookie: string): Promise<number> =>
  (await app.inject({ method: 'POST', url: '/logout', headers: { cookie } })).statusCode

const begin = ({ app }: TestApp): Promise<string> => sessionCookie(app, { name: 'Ada' })

const redis = await startRedis()
if (redis === undefined) {
  cannotTest(t, 'a list in Redis', 'there is no redis-server to start')
} else {
  t.teardown(() => redis.end())
  const port = redis.ports[0] as number

  t.test('another process knows of a revocation within the time that a message takes', async (t) => {
    const [here, there] = [await open(t, port), await open(t, port)]
    const times: number[] = []
    for (let count = 0; count < REVOCATIONS; count++) {
      const cookie = await begin(here)
      const id = (await readSession(there.app, cookie)).id as string
      const start = performance.now()
      await here.app.sessions.revoke(id)
      await when(async () => (await readSession(there.app, cookie)).reason === 'revoked')
      times.push(performance.now() - start)
    }
    times.sort((a, b) => a - b)
    const [median = 0, worst = 0] = [times[REVOCATIONS / 2], times.at(-1)]
    t.comment(`median ${median.toFixed(2)} ms, worst ${worst.toFixed(2)} ms of ${REVOCATIONS}`)
    t.ok(median < MEDIAN, `median ${median}`)
  })

  t.test('a connection that has died without a word is made up for', async (t) => {
    const proxy = await TcpProxy.start(port)
    t.teardown(() => proxy.end())
    const [here, there] = [await open(t, port), await open(t, proxy.port, { maxStaleness: 1, onStale: 'refuse' })]
    const cookie = await begin(here)
    t.equal(await statusOf(there, cookie), 'Ada')
    proxy.hold()
    t.equal(await logOut(here, cookie), 200)
    await when(async () => (await statusOf(there, cookie)) === 503)
    proxy.release()
    await when(async () => (await statusOf(there, cookie)) === 'nobody')
  })

  t.test('who is paused for too long refuses before it has caught up', async (t) => {
    const [here, there] = [await open(t, port), await open(t, port, { maxStaleness: 1, onStale: 'refuse' })]
    const cookie = await begin(here)
    t.equal(await statusOf(there, cookie), 'Ada')
    redis.pause()
    await when(async () => (await statusOf(there, cookie)) === 503)
    redis.resume()
    await when(async () => (await statusOf(there, cookie)) === 'Ada')
    t.equal(await logOut(there, cookie), 200)
    await when(async () => (await statusOf(here, cookie)) === 'nobody')
  })

  t.test('a server that was killed and comes back has what it acknowledged', async (t) => {
    const [directory, port] = [mkdtempSync(join(tmpdir(), 'session-test-')), await freePort()]
    const settings = ['--port', String(port), '--bind', HOST, '--dir', directory, '--appendonly', 'yes']
    const start = (): Promise<Service> =>
      Service.start(() => ['redis-server', ...settings, '--appendfsync', 'always', '--save', ''])
    let server = await start()
    t.teardown(async () => {
      await server.end()
      rmSync(directory, { recursive: true, force: true })
    })
    const [here, there] = [await open(t, port, { maxStaleness: 1 }), await open(t, port, { maxStaleness: 1 })]
    const [ended, kept] = [await begin(here), await begin(here)]
    await until(async () => {
      const status = await statusOf(here, kept)
      if (status !== 'Ada') throw new Error(String(status))
    })
    t.equal(await logOut(here, ended), 200)
    await when(async () => (await statusOf(there, ended)) === 'nobody')
    await server.end()
    t.equal(await logOut(here, kept), 503, 'an ending fails')
    await when(() => there.warnings().length > 0)
    t.equal(await statusOf(there, kept), 'Ada', 'and nothing is lost')
    t.equal(await statusOf(there, ended), 'nobody')
    const late = await open(t, port)
    t.equal(await statusOf(late, kept), 503, 'who starts meanwhile serves nobody')
    server = await start()
    await when(async () => (await statusOf(late, ended)) === 'nobody')
    await when(async () => (await logOut(there, kept)) === 200)
    await when(async () => (await statusOf(here, kept)) === 'nobody')
    await when(async () => (await statusOf(late, kept)) === 'nobody')
  })
}
