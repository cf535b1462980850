import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { MemoryStore } from '../../lib/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp } from '../helpers/app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

async function createShop(options: LooseOptions = {}) {
  const shop = await createApp({ store: (clock) => new RecordingStore(new MemoryStore({ clock })), ...options })
  const { app } = shop
  let open = (): void => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  app.get('/read', async ({ session }) => ({ ...session, permanent: session.permanent }))
  app.get('/login', async ({ session }) => {
    session.setOwner('ada')
    session.name = 'Ada'
    return session.id
  })
  app.get('/first', async ({ session }) => {
    session.visits = 1
    return 'ok'
  })
  app.get('/renew', async ({ session }) => {
    await session.renew()
    return session.id
  })
  app.get('/password', async ({ session }) => {
    await session.renew()
    const listed = await app.sessions.list('ada', { current: session.id })
    const ended = await app.sessions.revokeAll('ada', { except: session.id })
    return { ended, current: listed.filter(({ current }) => current).length }
  })
  app.get('/remember', async ({ session }) => {
    session.permanent = true
    return 'ok'
  })
  app.get('/careless', async ({ session }) => {
    await session.renew()
    void session.commit()
    return 'ok'
  })
  app.get('/twice', async ({ session }) => {
    session.visits = 1
    await Promise.all([session.commit(), session.commit()])
    return 'ok'
  })
  app.get('/count', async ({ session }: FastifyRequest) => {
    await gate
    return session.update((data) => {
      data.visits = (data.visits ?? 0) + 1
      return data.visits
    })
  })
  app.get('/leave', async ({ session }, reply) => {
    await session.destroy()
    reply.hijack()
    reply.raw.end('bye')
  })
  return { ...shop, open }
}

t.test('a password change ends the other sessions and not its own', async (t) => {
  const { app } = await createShop()
  const [desktop, phone] = [await createClient(app), await createClient(app)]
  await desktop.get('/login')
  await phone.get('/login')
  t.same((await desktop.get('/password')).json(), { ended: 1, current: 1 })
  t.match((await desktop.get('/read')).json(), { name: 'Ada' })
  t.notMatch((await phone.get('/read')).json(), { name: 'Ada' })
})

for (const maxPerOwnerPolicy of ['evict-oldest', 'refuse'] as const) {
  t.test(`${maxPerOwnerPolicy}: new ids at the limit log nobody out`, async (t) => {
    const { app } = await createShop({ maxPerOwner: 1, maxPerOwnerPolicy })
    const visitor = await createClient(app)
    await visitor.get('/login')
    const replies = await Promise.all([visitor.get('/renew'), visitor.get('/renew')])
    t.same(
      replies.map(({ statusCode }) => statusCode),
      [200, 200]
    )
    t.equal(replies.flatMap(setCookieLines).length, 1, 'the one that came second was late')
    t.equal((await app.sessions.list('ada')).length, 1)
    t.match((await visitor.get('/read')).json(), { name: 'Ada' })
  })
}

t.test('a login that was clicked twice logs in, at the limit too', async (t) => {
  const { app } = await createShop({ maxPerOwner: 1 })
  const visitor = await createClient(app)
  await visitor.get('/first')
  const replies = await Promise.all([visitor.get('/login'), visitor.get('/login')])
  t.equal(replies.flatMap(setCookieLines).length, 1, 'the one that came second was late')
  t.match((await visitor.get('/read')).json(), { name: 'Ada' })
  t.equal((await app.sessions.list('ada')).length, 1)
})

t.test('a commit that nobody waits for is waited for by the reply', async (t) => {
  const { app } = await createShop()
  const visitor = await createClient(app)
  await visitor.get('/login')
  t.equal((await visitor.get('/careless')).statusCode, 200)
  t.match((await visitor.get('/read')).json(), { name: 'Ada' })
  t.equal((await (await createClient(app)).get('/twice')).statusCode, 200)
})

t.test('an update leaves alone what another request made permanent', async (t) => {
  const { app, open } = await createShop()
  const visitor = await createClient(app)
  await visitor.get('/login')
  const counting = visitor.get('/count')
  await visitor.get('/remember')
  open()
  t.same(setCookieLines(await counting), [])
  t.match((await visitor.get('/read')).json(), { visits: 1, permanent: true })
})

t.test('a session that was destroyed has ended, whatever becomes of the reply', async (t) => {
  const { app } = await createShop()
  const visitor = await createClient(app)
  await visitor.get('/login')
  t.equal((await visitor.get('/leave')).body, 'bye')
  t.notMatch((await visitor.get('/read')).json(), { name: 'Ada' })
})
