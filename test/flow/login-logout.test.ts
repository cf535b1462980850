import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`a login in ${mode} sessions`, async (t) => {
    const { app, clock, logs } = await createApp(options)
    app.get('/', async ({ session }) => {
      session.visits = (session.visits ?? 0) + 1
      return session.visits
    })
    app.post('/login', async ({ session }, reply) => {
      await session.renew()
      session.userId = 7
      return reply.redirect('/me', 303)
    })
    app.get('/me', async ({ session }, reply) => session.userId ?? reply.code(401).send('who are you?'))
    app.post('/logout', async ({ session }, reply) => {
      await session.destroy()
      return reply.redirect('/', 303)
    })
    app.get('/id', async ({ session }) => session.id)

    const ana = await createClient(app)
    t.equal((await ana.get('/me')).statusCode, 401)
    t.equal((await ana.get('/')).body, '1')
    t.equal((await ana.get('/')).body, '2')
    const { body: before } = await ana.get('/id')
    await ana.post('/login')
    const { body: after } = await ana.get('/id')
    t.not(after, before, 'a login gets an id that nobody knew before')
    t.equal((await ana.get('/me')).body, '7')
    t.equal((await ana.get('/')).body, '3', 'the visits are kept')

    await t.test('two logins of one user give different cookies', async (t) => {
      const [one, two] = [await createClient(app), await createClient(app)]
      await one.post('/login')
      await two.post('/login')
      t.not(one.jar.header(), two.jar.header())
    })

    await t.test('no character of the cookie can be changed', async (t) => {
      const value = ana.jar.get('session') ?? ''
      for (let index = 0; index < value.length; index++) {
        const other = value[index] === 'A' ? 'B' : 'A'
        const cookie = `session=${value.slice(0, index)}${other}${value.slice(index + 1)}`
        const response = await app.inject({ url: '/me', headers: { cookie } })
        if (response.statusCode !== 401) t.fail(`position ${index} can be changed`)
      }
      t.ok(value.length > 100)
    })

    await t.test('what was logged holds no cookie', async (t) => {
      const value = ana.jar.get('session') ?? ''
      t.notOk(JSON.stringify(logs).includes(value.slice(-43)))
    })

    await t.test('a cookie is taken from the Cookie header only', async (t) => {
      const value = ana.jar.get('session') ?? ''
      for (const headers of [
        { authorization: `Bearer ${value}` },
        { session: value },
        { 'set-cookie': ana.jar.header() }
      ]) {
        t.equal((await app.inject({ url: `/me?session=${value}`, headers })).statusCode, 401)
      }
    })

    const copy = ana.jar.header()
    await ana.post('/logout')
    t.equal(ana.jar.header(), '')
    const replay = await app.inject({ url: '/me', headers: { cookie: copy } })
    t.equal(replay.statusCode, isSelfContained ? 200 : 401, 'a copy of the cookie ends with a session that is stored')
    t.equal((await ana.get('/me')).statusCode, 401)

    clock.advance(86_401)
    const stale = await decisionsOf(() => ana.get('/me'))
    t.same(stale, ['open: no-cookie', 'commit: empty'])
  })
}
