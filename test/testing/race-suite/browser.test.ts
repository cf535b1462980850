import t from 'tap'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import { createApp } from '../../../lib/testing/race-suite/app.ts'
import { Browser } from '../../../lib/testing/race-suite/browser.ts'
import { Gates } from '../../../lib/testing/race-suite/gates.ts'

const secret = 'the browser of a race suite, whose key nobody else has'

const gates = new Gates()
const store = new MemoryStore()
const apps = [await createApp({ secret, store }, gates, 'ada'), await createApp({ secret, store }, gates, 'ada')]

t.test('a browser sends its cookie to the applications in turn', async (t) => {
  const served: number[] = []
  const counting = apps.map((app, index) =>
    Object.create(app, { inject: { value: (request: object) => served.push(index) && app.inject(request) } })
  )
  const browser = new Browser(counting, gates)
  await browser.write({ a: 1, b: 1 })
  await browser.write({ c: 1 }, ['a'])
  t.same(await browser.read(), { b: 1, c: 1 })
  t.same(served, [0, 1, 0])
})

t.test('a copy has the cookie of the moment, and shares nothing afterwards', async (t) => {
  const browser = new Browser(apps, gates)
  await browser.write({ a: 1 })
  const copy = browser.copy()
  t.same(await copy.read(), { a: 1 })
  await browser.send('renew')
  t.same(await browser.read(), { a: 1 })
  t.same(await copy.read(), {}, 'the copy has the old id')
})

t.test('logIn returns a copy, and fails if no session opens; logOut ends the session', async (t) => {
  const browser = new Browser(apps, gates)
  const before = await browser.logIn()
  t.same(await before.read(), { user: 'ada' })
  await browser.logOut()
  t.same(await before.read(), {})

  class Forgetful extends MemoryStore {
    override load(): undefined {
      return undefined
    }
  }
  const app = await createApp({ secret, store: new Forgetful() }, gates, 'ada')
  await t.rejects(new Browser([app], gates).logIn(), { code: 'ERR_ASSERTION', message: /a login creates a session/ })
})

t.test('a held request has loaded its session, and continues when it is released', async (t) => {
  const browser = new Browser(apps, gates)
  await browser.write({ a: 1 })
  const reader = await browser.hold('read')
  const writer = await browser.hold('renew', { set: { b: 1 } })
  await browser.write({ a: 2 })
  t.same((await reader.release()).json(), { a: 1 })
  await writer.release()
  t.same(await browser.read(), { a: 2, b: 1 }, 'the browser has the cookie of the reply')
})

t.test('a request that fails before its handler can be held and released', async (t) => {
  class Down extends MemoryStore {
    override load(): never {
      throw new Error('out of order')
    }
  }
  const app = await createApp({ secret, store: new Down() }, gates, 'ada')
  const browser = new Browser([app], gates)
  await browser.write({ a: 1 })
  const held = await browser.hold('read')
  t.equal((await held.release()).statusCode, 503)
})

t.test('parallel requests all have their session before the first one continues', async (t) => {
  const browser = new Browser(apps, gates)
  await browser.write({ a: 1 })
  const replies = await browser.sendInParallel([
    ['write', { set: { a: 2 } }],
    ['read', {}],
    ['read', {}]
  ])
  t.same(
    replies.map((reply) => reply.json()),
    [{}, { a: 1 }, { a: 1 }]
  )
  t.same(await browser.read(), { a: 2 })
})
