import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import { startRedis } from '../helpers/redis.ts'
import { cannotTest } from '../helpers/service.ts'
import { connect, createShakyApp, Visitor } from '../helpers/shaky-redis.ts'
import { TcpProxy } from '../helpers/tcp-proxy.ts'

const SERVED = 200

const server = await startRedis()
if (server === undefined) {
  cannotTest(t, 'commands that come again', 'there is no redis-server to start')
} else {
  const [port] = server.ports as [number]
  const direct = new Redis({ host: '127.0.0.1', port })
  t.teardown(async () => {
    direct.disconnect()
    await server.end()
  })

  /** Two applications with clients of ioredis as it comes; between one of them and Redis there is a proxy. */
  const twoApps = async (t: Test, options = {}) => {
    await direct.flushall()
    const proxy = await TcpProxy.start(port)
    const [shaky, steady] = await Promise.all([
      createShakyApp(connect(t, proxy.port), options),
      createShakyApp(connect(t, port), options)
    ])
    t.teardown(async () => {
      await Promise.all([shaky.close(), steady.close()])
      await proxy.end()
    })
    return { proxy, shaky, steady }
  }

  const isCommit = (text: string): boolean => /\bevalsha\b[\s\S]*\r\n\./i.test(text)

  /** Matches the script with this number, from 0. */
  const nthScript = (wanted: number) => {
    let seen = 0
    return (text: string): boolean => /\bevalsha\b/i.test(text) && seen++ === wanted
  }

  t.test('an update() whose answer is lost counts once', async (t) => {
    const { proxy, shaky, steady } = await twoApps(t)
    const visitor = new Visitor()
    for (const app of [shaky, steady]) await visitor.visit(app, '/count')
    const lost = proxy.loseAnswer(isCommit)
    const status = visitor.visit(shaky, '/count')
    await lost
    t.equal(await visitor.visit(steady, '/count'), SERVED)
    proxy.release()
    t.equal(await status, SERVED)
    t.same(await visitor.read(steady), { visits: 4 })
  })

  t.test('a value whose answer is lost overwrites no newer one', async (t) => {
    const { proxy, shaky, steady } = await twoApps(t)
    const visitor = new Visitor()
    await visitor.visit(shaky, '/set/first')
    const lost = proxy.loseAnswer(isCommit)
    const status = visitor.visit(shaky, '/set/old')
    await lost
    t.equal(await visitor.visit(steady, '/set/new'), SERVED)
    proxy.release()
    t.equal(await status, SERVED)
    t.same(await visitor.read(shaky), { name: 'new' })
  })

  t.test('a change of id succeeds, whichever answer is lost', async (t) => {
    for (const [path, options] of [
      ['/renew', {}],
      ['/login/ada', { maxPerOwner: 1, maxPerOwnerPolicy: 'evict-oldest' }]
    ] as const) {
      let lostAnswers = 0
      for (; ; lostAnswers++) {
        const { proxy, shaky, steady } = await twoApps(t, options)
        const visitor = new Visitor()
        await visitor.visit(shaky, '/count')
        await new Visitor().visit(steady, '/login/ada')
        const before = visitor.jar.get('session')
        const lost = proxy.loseAnswer(nthScript(lostAnswers))
        const status = visitor.visit(shaky, path)
        const isLost = await Promise.race([lost.then(() => true), status.then(() => false)])
        proxy.release()
        t.equal(await status, SERVED, `${path}, answer ${lostAnswers}`)
        t.not(visitor.jar.get('session'), before)
        t.match(await visitor.read(steady), { visits: 1 }, `${path}, answer ${lostAnswers}`)
        if (path !== '/renew') t.equal((await steady.sessions.list('ada')).length, 1)
        if (!isLost) break
      }
      t.ok(lostAnswers >= 2, `${lostAnswers} answers were lost during ${path}`)
    }
  })

  t.test('a push that was kept is not refused as gone', async (t) => {
    const { proxy, shaky, steady } = await twoApps(t)
    const visitor = new Visitor()
    await visitor.visit(shaky, '/push/first')
    const before = new Visitor()
    before.jar.set('session', visitor.jar.get('session') ?? '')
    const lost = proxy.loseAnswer(isCommit)
    const status = before.visit(shaky, '/push/second')
    await lost
    t.equal(await visitor.visit(steady, '/renew'), SERVED)
    proxy.release()
    t.equal(await status, SERVED)
    t.same(await visitor.read(steady), { names: ['first', 'second'] })
  })

  t.test('a login whose answer is lost evicts nobody who came later', async (t) => {
    // They ask for the time, create the record, enter it into the index, and let it go live.
    for (let lostAnswers = 0; lostAnswers < 4; lostAnswers++) {
      const { proxy, shaky, steady } = await twoApps(t, { maxPerOwner: 1, maxPerOwnerPolicy: 'evict-oldest' })
      const [early, late] = [new Visitor(), new Visitor()]
      const lost = proxy.loseAnswer(nthScript(lostAnswers))
      const status = early.visit(shaky, '/login/early')
      await lost
      t.equal(await late.visit(steady, '/login/late'), SERVED)
      proxy.release()
      t.equal(await status, SERVED)
      const survivors = await Promise.all([early, late].map((visitor) => visitor.read(steady)))
      t.equal(survivors.filter(({ name }) => name !== undefined).length, 1, `one is in, answer ${lostAnswers}`)
      if (lostAnswers >= 2) t.same(survivors[1], { name: 'late' }, 'the one whose login came later')
      t.equal((await steady.sessions.list('ada')).length, 1)
    }
  })

  t.test('an end whose answer is lost is told as it was', async (t) => {
    for (let lostAnswers = 0; lostAnswers < 3; lostAnswers++) {
      const { proxy, shaky, steady } = await twoApps(t)
      const visitors = [new Visitor(), new Visitor(), new Visitor()]
      for (const visitor of visitors) await visitor.visit(steady, '/login/ada')
      const lost = proxy.loseAnswer(nthScript(lostAnswers))
      const status = visitors[0]?.visit(shaky, '/logout')
      await Promise.race([lost, status])
      proxy.release()
      t.equal(await status, SERVED)
      const ends = proxy.loseAnswer(nthScript(lostAnswers))
      const count = shaky.sessions.revokeAll('ada')
      await ends
      proxy.release()
      t.equal(await count, 2, 'each counts once')
    }
  })

  t.test('node-redis sends nothing again: what is not known is told as such', async (t) => {
    await direct.flushall()
    const proxy = await TcpProxy.start(port)
    const client = createClient({ url: `redis://127.0.0.1:${proxy.port}` })
    client.on('error', () => {})
    await client.connect()
    const shaky = await createShakyApp(client)
    t.teardown(async () => {
      await shaky.close()
      client.destroy()
      await proxy.end()
    })
    const visitor = new Visitor()
    await visitor.visit(shaky, '/count')
    const lost = proxy.loseAnswer(isCommit)
    const status = visitor.visit(shaky, '/count')
    await lost
    proxy.release()
    t.equal(await status, 503)
    t.equal(await visitor.visit(shaky, '/count'), SERVED)
    t.same(await visitor.read(shaky), { visits: 3 }, 'it had been applied, once')
  })
}
