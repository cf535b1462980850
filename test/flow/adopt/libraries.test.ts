import fastify from 'fastify'
import t from 'tap'
import type { CommonSessionOptions } from '../../../lib/index.ts'
import { MemoryRevocations, MemoryStore, session } from '../../../lib/index.ts'
import { CookieJar } from '../../../lib/testing/cookie-jar.ts'
import { Client } from '../../../lib/testing/create-client.ts'
import type { SessionReader } from '../../../types/adopt.ts'
import { decisionsOf, SECRET } from '../../helpers/app.ts'
import { oldLibraries } from '../../helpers/old-libraries.ts'
import { openRedis } from '../../helpers/redis.ts'
import '../../helpers/session-data.ts'

type Made = Pick<CommonSessionOptions, 'secret'>

/** Each run has a store or a list of its own. `remembers`: whether the first deploy can leave the old cookie. */
const MODES: readonly { readonly mode: string; readonly remembers: boolean; readonly make: () => object }[] = [
  { mode: 'signed', remembers: false, make: () => ({}) },
  { mode: 'encrypted', remembers: false, make: () => ({ encrypt: true }) },
  { mode: 'stored', remembers: true, make: () => ({ store: new MemoryStore() }) },
  { mode: 'signed, revocable', remembers: true, make: () => ({ revocations: new MemoryRevocations() }) }
]

async function createNew(mode: object, reader: SessionReader) {
  const app = fastify()
  await app.register(session, { secret: SECRET, ...mode, adopt: [reader] } as Made)
  app.get('/me', async ({ session }) => ({ ...session }))
  app.get('/id', async ({ session }) => session.id)
  app.get('/visit', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return { ...session }
  })
  app.get('/logout', async ({ session }) => session.destroy())
  return app
}

const redis = await openRedis(t, 'sessions of express-session in Redis')

for (const { library, cookieName, isStored, hasEnd, create } of oldLibraries(redis)) {
  for (const { mode, remembers, make } of MODES) {
    t.test(`from ${library} to ${mode} sessions`, async (t) => {
      /** A visitor who has logged in with the old application. */
      async function move(options: object, isOlder = false, clock = Date.now) {
        const old = await create(t, isOlder)
        const settings = { ...make(), clock }
        const app = await createNew(settings, old.reader({ ownerOf: ({ userId }) => String(userId), ...options }))
        const jar = new CookieJar()
        const before = new Client(old.app, jar)
        const after = new Client(app, jar)
        await before.get('/login')
        t.same((await before.get('/me')).json(), { userId: 7, visits: 1 })
        const cookie = jar.header()
        const ask = (url: string) => app.inject({ url, headers: { cookie } })
        return { old, settings, before, after, jar, cookie, ask }
      }

      t.test('the visitor stays logged in, and the old cookie and record are gone', async (t) => {
        const { old, after, jar } = await move({ remove: true })
        const decisions = await decisionsOf(async () => {
          t.same((await after.get('/me')).json(), { userId: 7, visits: 1 })
        })
        t.same(decisions, ['open: adopted', 'commit: adopted'])
        t.equal(jar.get(cookieName), undefined)
        t.equal(await old.count(), 0)
        t.same((await after.get('/visit')).json(), { userId: 7, visits: 2 })
        t.same((await after.get('/me')).json(), { userId: 7, visits: 2 })
      })

      t.test('a key that was rotated there opens here', async (t) => {
        const { after } = await move({ remove: true }, true)
        t.same((await after.get('/me')).json(), { userId: 7, visits: 1 })
      })

      if (hasEnd) {
        t.test('what has expired there opens nothing here', async (t) => {
          const late = (seconds: number) => () => Date.now() + seconds * 1000
          const alive = await move({ remove: true }, false, late(3590))
          t.same((await alive.after.get('/me')).json(), { userId: 7, visits: 1 })
          const expired = await move({ remove: true }, false, late(3670))
          t.same((await expired.after.get('/me')).json(), {})
          t.ok(expired.jar.get(cookieName))
        })
      }

      t.test('requests at the same time', async (t) => {
        const { ask } = await move({ remove: true })
        const responses = await Promise.all([ask('/me'), ask('/me'), ask('/me')])
        for (const response of responses) t.same(response.json(), { userId: 7, visits: 1 })
      })

      t.test('a logout ends it for good', async (t) => {
        const { old, after, before, jar } = await move({ remove: true })
        await after.get('/me')
        await after.get('/logout')
        t.equal(jar.header(), '')
        t.same((await after.get('/me')).json(), {})
        t.same((await before.get('/me')).json(), {})
        t.equal(await old.count(), 0)
      })

      t.test('map turns the data over', async (t) => {
        const { after } = await move({
          remove: true,
          map: ({ userId }: { userId: number }) => ({ name: `user ${userId}` })
        })
        t.same((await after.get('/me')).json(), { name: 'user 7' })
        const none = await move({ remove: true, map: () => undefined })
        t.same((await none.after.get('/me')).json(), {})
        t.same((await none.before.get('/me')).json(), { userId: 7, visits: 1 }, 'it stays where it was')
      })

      t.test('a cookie that was changed opens nothing', async (t) => {
        const { cookie, after, jar } = await move({ remove: true })
        const value = jar.get(cookieName) as string
        for (const at of [0, 5, Math.floor(value.length / 2), value.length - 3]) {
          // Of the last character of Base64, the lowest bits mean nothing.
          const other = /[A-D]/.test(value.charAt(at)) ? 'Q' : 'A'
          const forged = `${value.slice(0, at)}${other}${value.slice(at + 1)}`
          const header = cookie.replace(value, forged)
          t.same((await after.get('/me', { headers: { cookie: header } })).json(), {}, `byte ${at}`)
        }
      })

      if (!remembers) return

      t.test('the first deploy leaves everything, and can be rolled back', async (t) => {
        const { old, after, before } = await move({ remove: false })
        t.same((await after.get('/visit')).json(), { userId: 7, visits: 2 })
        t.same((await before.get('/me')).json(), { userId: 7, visits: 1 })
        if (isStored) t.equal(await old.count(), 1)
        t.same((await after.get('/me')).json(), { userId: 7, visits: 2 })
      })

      t.test('the second deploy goes on with the sessions of the first', async (t) => {
        const { old, settings, after, jar } = await move({ remove: false })
        await after.get('/visit')
        const app = await createNew(settings, old.reader({ remove: true }))
        t.same((await new Client(app, jar).get('/me')).json(), { userId: 7, visits: 2 })
      })

      t.test('after a logout the old cookie opens nothing, in neither application', async (t) => {
        const { old, after, before, ask } = await move({ remove: false })
        await after.get('/me')
        await after.get('/logout')
        t.same((await before.get('/me')).json(), {})
        t.same((await ask('/me')).json(), {}, 'nor a copy of it')
        t.equal(await old.count(), 0)
      })
    })
  }
}
