import { join } from 'node:path'
import fastify from 'fastify'
import type * as Tap from 'tap'
import t from 'tap'
import { flask, flaskSession } from '../../../lib/adopt/index.ts'
import { MemoryStore, session } from '../../../lib/index.ts'
import type { SessionReader } from '../../../types/adopt.ts'
import { hasPython, startFlask } from '../../helpers/flask.ts'
import { openRedis } from '../../helpers/redis.ts'
import { SharedJar } from '../../helpers/shared-jar.ts'

const SECRET = 'tests only: 0f5a8c2e91d7b364a2c4'
const SECRET_KEY = 'tests only: 9f0c1d5be7a24386'

/** Our application, which takes over the sessions that a reader reads. */
async function startOurs(t: Tap.Test, reader: SessionReader): Promise<string> {
  const app = fastify()
  await app.register(session, { secret: SECRET, cookieName: 'sid', store: new MemoryStore(), adopt: [reader] })
  t.teardown(() => app.close())
  app.get('/session', async ({ session }) => ({ data: session.data(), ownerId: session.ownerId ?? null }))
  app.post('/logout', async ({ session }) => (await session.destroy()) ?? {})
  return app.listen({ port: 0 })
}

if (hasPython(t, "taking over Flask's sessions", 'flask', 'flask_login')) {
  t.test('a login in Flask goes on here, and a logout here ends it', async (t) => {
    const old = await startFlask(t, join(import.meta.dirname, 'app.py'), { SECRET_KEY })
    const ours = await startOurs(
      t,
      flask<{ _user_id?: string }>({ secretKey: SECRET_KEY, ownerOf: ({ _user_id }) => _user_id })
    )
    const browser = new SharedJar()
    await browser.send(`${old}/login`, '7')
    await browser.send(`${old}/python`, {})
    const { json } = await browser.send(`${ours}/session`)
    t.match(json, {
      ownerId: '7',
      data: {
        ...{ _user_id: '7', token: 'AP8=', html: '<b>', dict: { ' t': 1 } },
        ...{
          uuid: '00000000-0000-0000-0000-000000000005',
          since: '2026-11-20T12:00:01.000Z',
          _flashes: [['info', 'Hello']]
        }
      }
    })
    t.ok(browser.cookies.has('sid'))
    t.ok(browser.cookies.has('session'))
    await browser.send(`${ours}/logout`, {})
    t.same((await browser.send(`${ours}/session`)).json, { data: {}, ownerId: null })
  })
}

if (hasPython(t, "taking over Flask-Session's sessions", 'flask', 'flask_session', 'redis', 'msgspec')) {
  for (const [format, signed, remove] of [
    ['msgpack', false, true],
    ['json', true, false]
  ] as const) {
    t.test(`a session of Flask-Session goes on here: ${format}${signed ? ', signed' : ''}`, async (t) => {
      const redis = await openRedis(t, "taking over Flask-Session's sessions")
      if (redis === undefined) return
      const prefix = 'shop:'
      const old = await startFlask(t, join(import.meta.dirname, 'server_side.py'), {
        ...{ SECRET_KEY, REDIS_PORT: String(redis.options.port), PREFIX: prefix },
        ...{ FORMAT: format, SIGNED: signed ? '1' : '0' }
      })
      const secretKey = signed ? SECRET_KEY : undefined
      const ours = await startOurs(
        t,
        flaskSession({ store: redis, prefix, format, secretKey, remove, cookieName: 'old' })
      )
      const browser = new SharedJar()
      await browser.send(`${old}/set`, { user_id: 7, name: 'Zoë' })
      t.same(await redis.keys('*'), [`${prefix}${browser.cookies.get('old')?.split('.')[0]}`])
      const { json } = await browser.send(`${ours}/session`)
      t.match(json, { data: { user_id: 7, name: 'Zoë', since: /^2026-11-20T12:00:01/ } })
      t.equal((await redis.keys('*')).length, remove ? 0 : 1)
      t.equal(browser.cookies.has('old'), !remove)
      await browser.send(`${ours}/logout`, {})
      t.same((await browser.send(`${ours}/session`)).json, { data: {}, ownerId: null })
    })
  }
}
