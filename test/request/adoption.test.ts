import t from 'tap'
import { z } from 'zod'
import { InvalidValueError, UnreadableError } from '../../lib/errors.ts'
import type { Session, SessionData } from '../../lib/index.ts'
import { MemoryRevocations, MemoryStore } from '../../lib/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { SessionReader } from '../../types/adopt.ts'
import type { SessionRecord } from '../../types/store.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, decisionsOf, MODES, OTHER_SECRET, REVOCABLE, SECRET, START, withOneStore } from '../helpers/app.ts'
import { OldLibrary } from '../helpers/old-library.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

const memory = (clock: () => number): MemoryStore => new MemoryStore({ clock })
const NOW = START.getTime() / 1000
const CLEARED = 'old=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax'

/** An application with the session of `ada` in another library. */
async function createMoving(options: LooseOptions = {}, reader: Partial<SessionReader> = {}, isUnique = true) {
  const library = new OldLibrary()
  library.records.set('ada', { data: { userId: 7 }, ownerId: '7' })
  const made = await createApp({ ...options, adopt: [library.reader(reader, isUnique)] })
  addRoutes(made)
  const ask = (url: string, cookie = 'old=ada', headers = {}) =>
    made.app.inject({ url, headers: { cookie, ...headers } })
  const browser = await createClient(made.app, { cookies: 'old=ada' })
  return { ...made, library, ask, browser }
}

function addRoutes({ app }: Awaited<ReturnType<typeof createApp>>): void {
  app.get('/untouched', async () => 'ok')
  app.get('/read', async ({ session }) => ({ ...session }))
  app.get('/times', async ({ session }) => ({
    created: session.createdAt.getTime() / 1000,
    isNew: session.isNew,
    permanent: session.permanent,
    id: session.id
  }))
  app.get('/write', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return { ...session }
  })
  app.get('/renew', async ({ session }) => session.renew())
  app.get('/login', async ({ session }) => {
    session.userId = 8
    await session.setOwner('8')
  })
  app.get('/logout', async ({ session }) => session.destroy())
  app.get('/clear', async ({ session }) => {
    await session.regenerate()
  })
  app.get('/off', { config: { session: false } }, async ({ session }) => ({ ...session }))
  app.get('/anonymous', { config: { session: { onStoreError: 'anonymous' } } }, async ({ session }) => ({ ...session }))
}

function names(response: Parameters<typeof setCookieLines>[0]): string[] {
  return setCookieLines(response).map((line) => line.split(/(?<==)/)[0] as string)
}

for (const { mode, options } of [...MODES, ...REVOCABLE]) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('a session of another library goes on in one of ours', async (t) => {
      const { ask, browser, library } = await createMoving(options)
      const decisions = await decisionsOf(async () => {
        const response = await browser.get('/untouched')
        t.equal(setCookieLines(response).length, 2)
        t.equal(setCookieLines(response)[0], CLEARED)
        t.match(setCookieLines(response)[1], /^session=.+; Path=\/; HttpOnly; SameSite=Lax$/)
        t.equal(response.headers['cache-control'], 'no-store')
      })
      t.same(decisions, ['open: adopted', 'commit: adopted'])
      t.same(library.ended, ['ada'])
      t.notMatch(browser.jar.header(), 'old=')
      t.same((await browser.get('/read')).json(), { userId: 7 })
      t.equal(library.asked.length, 1, 'a request that has our cookie asks no reader')
      await ask('/read', `${browser.jar.header()}; old=ada`)
      t.equal(library.asked.length, 1, 'whatever else it has')
    })

    t.test('what the first request changes is saved with it', async (t) => {
      const { browser } = await createMoving(options)
      t.same((await browser.get('/write')).json(), { userId: 7, visits: 1 })
      t.same((await browser.get('/write')).json(), { userId: 7, visits: 2 })
    })

    t.test('a new id in the first request', async (t) => {
      const { browser } = await createMoving(options)
      t.same(names(await browser.get('/renew')), ['old=', 'session='])
      t.same((await browser.get('/read')).json(), { userId: 7 })
    })

    t.test('a logout in the first request ends the old session', async (t) => {
      const { ask, browser, library } = await createMoving(options)
      t.same(names(await browser.get('/logout')), ['old='])
      t.same(library.ended, ['ada'])
      t.same((await ask('/read')).json(), {})
    })

    t.test('requests at the same time adopt one session', async (t) => {
      const { ask } = await createMoving(options)
      const responses = await Promise.all([ask('/times'), ask('/times'), ask('/times')])
      t.equal(new Set(responses.map((response) => response.json().id)).size, 1)
      for (const response of responses) t.ok(names(response).includes('session='))
    })

    t.test('so does one that comes when the old record is gone', async (t) => {
      const { ask, clock } = await createMoving(options)
      const { id } = (await ask('/times')).json()
      t.equal((await ask('/times')).json().id, id)
      clock.advance(61)
      const late = await ask('/read')
      t.same(late.json(), {})
      t.notOk(names(late).includes('session='))
    })

    t.test('a request that comes after the logout does not', async (t) => {
      const { ask, browser } = await createMoving(options)
      await browser.get('/read')
      await browser.get('/logout')
      const late = await ask('/write')
      t.notOk(late.json().userId)
    })

    t.test('a cookie that opens nothing changes nothing', async (t) => {
      const { ask } = await createMoving(options)
      const decisions = await decisionsOf(async () => {
        const response = await ask('/read', 'old=forged')
        t.same(response.json(), {})
        t.same(setCookieLines(response), [])
      })
      t.same(decisions, ['open: adopt-refused', 'commit: empty'])
      t.same((await ask('/write', 'old=forged')).json(), { visits: 1 }, 'a session of its own can begin')
    })
  })
}

for (const { mode, options } of [...MODES.slice(2), ...REVOCABLE]) {
  t.test(`${mode} sessions, first deploy`, async (t) => {
    t.test('old cookie and record stay', async (t) => {
      const { browser, library } = await createMoving(options, { remove: false })
      t.same(names(await browser.get('/read')), ['session='])
      t.same(library.ended, [])
      t.match(browser.jar.header(), /old=ada/)
    })

    t.test('without our cookie the same session goes on', async (t) => {
      const { ask } = await createMoving(options, { remove: false })
      const { id } = (await ask('/times')).json()
      t.equal((await ask('/times')).json().id, id)
    })

    t.test('after a logout the old cookie adopts nothing again', async (t) => {
      for (const isUnique of [true, false]) {
        const { ask, browser, library } = await createMoving(options, { remove: false }, isUnique)
        await browser.get('/read')
        const response = await browser.get('/logout')
        t.same(names(response).sort(), ['old=', 'session='])
        t.same(library.ended, ['ada'])
        library.records.set('ada', { data: { userId: 7 }, ownerId: '7' })
        t.same((await ask('/read')).json(), {})
        t.same((await ask('/read', 'old=ada.spelled-otherwise')).json(), {})
      }
    })

    t.test('after a login it does not, either, and stays for a roll-back', async (t) => {
      for (const isUnique of [true, false]) {
        const { ask, browser, library } = await createMoving(options, { remove: false }, isUnique)
        await browser.get('/read')
        t.same(names(await browser.get('/login')), ['session='])
        t.same(library.ended, [])
        const late = await ask('/read')
        t.same(late.json(), {})
        t.notOk(names(late).includes('session='))
      }
    })

    t.test('nor after a regenerate() that leaves an anonymous session', async (t) => {
      const { ask, browser } = await createMoving(options, { remove: false }, false)
      await browser.get('/read')
      await browser.get('/clear')
      t.same((await ask('/read')).json(), {})
    })

    t.test('nor under another secret, as long as the old one is known', async (t) => {
      const shared = withOneStore(options)
      const first = await createMoving({ ...shared, secret: OTHER_SECRET }, { remove: false })
      const second = await createMoving({ ...shared, secret: [SECRET, OTHER_SECRET] }, { remove: false })
      const { id } = (await first.ask('/times')).json()
      if (shared.store !== undefined) t.equal((await second.ask('/times')).json().id, id)
      await first.browser.get('/read')
      await first.browser.get('/logout')
      t.same((await second.ask('/read')).json(), {})
    })

    t.test('nor after app.sessions has ended all sessions of the owner', async (t) => {
      const { app, ask, browser } = await createMoving(options, { remove: false })
      await browser.get('/read')
      await app.sessions.revokeAll('7')
      t.same((await ask('/read')).json(), {})
    })

    t.test('nor when our session has ended elsewhere', async (t) => {
      const { app, browser, library } = await createMoving(options, { remove: false }, false)
      await browser.get('/read')
      await app.sessions.revokeAll('7')
      t.same(names(await browser.get('/read')), ['session='])
      t.same(library.ended, ['ada'])
      library.records.set('ada', { data: { userId: 7 }, ownerId: '7' })
      t.same((await browser.get('/read')).json(), {})
    })

    t.test('two browsers with equal cookies have a session each', async (t) => {
      const { ask } = await createMoving(options, { remove: false }, false)
      const [one, other] = [await ask('/times'), await ask('/times')]
      t.not(one.json().id, other.json().id)
    })
  })
}

for (const end of ['logout', 'renew', 'revoke', 'revokeAll']) {
  t.test(`with revocations, an old cookie adopts nothing again a week after ${end}`, async (t) => {
    const clock = new FakeClock(START)
    const options = { revocations: new MemoryRevocations({ clock: clock.now }), clock: clock.now }
    const { app, browser } = await createMoving(options, { remove: false })
    const { id } = (await browser.get('/times')).json()
    if (end === 'revoke') await app.sessions.revoke(id)
    else if (end === 'revokeAll') await app.sessions.revokeAll('7')
    else await browser.get(`/${end}`)
    clock.advance(7 * 86_400)
    const restarted = await createMoving(options, { remove: false })
    t.same((await restarted.ask('/read')).json(), {})
  })
}

t.test('times', async (t) => {
  async function adopt(facts: object, settings: LooseOptions = {}) {
    const made = await createMoving({ store: new MemoryStore({ clock: () => START.getTime() }), ...settings })
    made.library.records.set('ada', { data: { userId: 7 }, ...facts })
    const response = await made.ask('/times')
    return { ...made, times: response.json(), isAdopted: names(response).includes('session='), response }
  }

  t.test('the session is as old as the old one', async (t) => {
    const { times } = await adopt({ createdAt: NOW - 1000 })
    t.match(times, { created: NOW - 1000, isNew: false, permanent: false })
    t.equal((await adopt({ lastSeenAt: NOW - 500 })).times.created, NOW - 500)
    t.equal((await adopt({})).times.created, NOW)
    t.equal((await adopt({ createdAt: NOW + 30 })).times.created, NOW, 'a clock may be a little wrong')
  })

  t.test('its cookie lives as long as the old one says', async (t) => {
    const { response, times } = await adopt({ permanent: true })
    t.equal(times.permanent, true)
    t.match(setCookieLines(response)[1], 'Max-Age=86400')
    t.equal((await adopt({}, { permanent: true })).times.permanent, true)
  })

  t.test('times that are none are a mistake of the reader', async (t) => {
    for (const name of ['createdAt', 'lastSeenAt', 'expiresAt']) {
      for (const value of [NOW + 0.5, Number.NaN, -1, String(NOW), new Date()]) {
        const { response } = await adopt({ [name]: value })
        t.equal(response.statusCode, 500, `${name}: ${value}`)
        t.equal(response.json().code, 'ERR_SESSION_VALUE')
      }
    }
    t.equal((await adopt({ createdAt: NOW * 1000 })).response.json().code, 'ERR_SESSION_VALUE', 'milliseconds')
  })

  t.test('what has ended by the rules of either is refused', async (t) => {
    t.ok((await adopt({ expiresAt: NOW })).isAdopted)
    t.notOk((await adopt({ expiresAt: NOW - 1 })).isAdopted)
    t.ok((await adopt({ lastSeenAt: NOW - 60 }, { idleTimeout: 60 })).isAdopted)
    t.notOk((await adopt({ lastSeenAt: NOW - 61, createdAt: NOW - 70 }, { idleTimeout: 60 })).isAdopted)
    t.notOk((await adopt({ createdAt: NOW - 601 }, { absoluteTimeout: 600 })).isAdopted)
    t.notOk((await adopt({ createdAt: NOW + 61 })).isAdopted)
  })

  t.test('a session of ours that has ended in the meantime is not joined', async (t) => {
    // A store that forgets nothing.
    const store = new MemoryStore({ clock: () => START.getTime() })
    const { ask, clock } = await createMoving({ store }, { remove: false })
    await ask('/read')
    clock.advance(86_401)
    t.same((await ask('/read')).json(), {})
  })
})

t.test('data', async (t) => {
  t.test('an empty session of nobody is not adopted, an empty one of somebody is', async (t) => {
    const { ask, library } = await createMoving()
    library.records.set('ada', { data: {} })
    t.same(setCookieLines(await ask('/read')), [])
    library.records.set('ada', { data: {}, ownerId: '7' })
    t.same(names(await ask('/read')), ['old=', 'session='])
  })

  t.test('what JSON cannot hold is a mistake of the application', async (t) => {
    const { ask, library } = await createMoving()
    library.records.set('ada', { data: { at: new Date() } })
    t.match((await ask('/read')).json(), { statusCode: 500, code: 'ERR_SESSION_VALUE' })
    t.match((await ask('/anonymous')).json(), { statusCode: 500, code: 'ERR_SESSION_VALUE' })
    library.records.set('ada', { data: { userId: 7 }, ownerId: '' })
    t.match((await ask('/read')).json(), { statusCode: 500, code: 'ERR_SESSION_VALUE' })
    t.same(library.ended, [])
  })

  t.test('so are data that are no plain object', async (t) => {
    for (const data of [new Map([['userId', 7]]), new Date(), Promise.resolve({ userId: 7 })]) {
      const made = await createMoving()
      made.library.records.set('ada', { data, ownerId: '7' })
      const response = await made.ask('/read')
      t.equal(response.json().code, 'ERR_SESSION_VALUE')
      t.same(setCookieLines(response), [], 'and the old session stays')
    }
  })

  t.test('more than fits is not adopted, and a warning says so', async (t) => {
    const { ask, library, warnings } = await createMoving()
    library.records.set('ada', { data: { name: 'x'.repeat(5000) } })
    t.same((await ask('/read')).json(), {})
    t.match(warnings(), [{ reason: 'adopt-refused', limit: 4096 }])
    t.same(library.ended, [])
  })

  t.test('the schema judges them as data of the present version', async (t) => {
    const schema = z.object({ userId: z.number(), visits: z.number().optional() })
    const options = { schema, schemaVersion: 3, migrations: { 2: refuse, 3: refuse } }
    const { ask, browser, library, warnings } = await createMoving(options)
    t.same((await browser.get('/read')).json(), { userId: 7 })
    t.same((await browser.get('/read')).json(), { userId: 7 })
    t.same(warnings(), [])
    library.records.set('ada', { data: { userId: 'seven' } })
    const decisions = await decisionsOf(async () => {
      const response = await ask('/untouched')
      t.same(setCookieLines(response), [])
    })
    t.ok(decisions.includes('open: invalid-data'))
    t.match(warnings(), [{ reason: 'invalid-data' }])
    library.records.set('ada', { data: { userId: 'seven' } })
    t.match((await ask('/login')).statusCode, 200)
    t.same(library.ended, ['ada'], 'only that of the browser')
  })
})

function refuse(): never {
  throw new Error('not a migration')
}

t.test('a logout with cookies whose records are gone, which anybody may send, leaves no marks behind', async (t) => {
  const store = memory(() => START.getTime())
  const marks: number[] = []
  t.intercept(store, 'create', {
    value(key: string, record: SessionRecord, until: number) {
      marks.push(until - NOW)
      return MemoryStore.prototype.create.call(store, key, record, until)
    }
  })
  const { ask } = await createMoving({ store, renameGrace: 30 })
  await ask('/logout', 'old=eve; old=mallory')
  t.same(marks, [30, 30], 'but for requests that are under way')
})

t.test('readers', async (t) => {
  t.test('each is asked in turn, with each of its cookies, at most eight', async (t) => {
    const { ask, library } = await createMoving()
    const cookies = Array.from({ length: 10 }, (_, index) => `old=forged.${index}`)
    t.same((await ask('/read', cookies.join('; '))).json(), {})
    t.equal(library.asked.length, 8)
    t.same((await ask('/read', 'old=forged; old=ada')).json(), { userId: 7 })
  })

  t.test('one may look at other cookies, and knows the time', async (t) => {
    const seen: unknown[] = []
    const { ask } = await createMoving(
      {},
      {
        otherCookies: ['old.sig'],
        read: (_value, { now, cookiesNamed }) => {
          seen.push(now, cookiesNamed('old.sig'))
          return { key: 'x', isUnique: true, data: { userId: 1 } }
        }
      }
    )
    t.same(names(await ask('/read', 'old=a; old.sig=b; old.sig=c')), ['old=', 'old.sig=', 'session='])
    t.same(seen, [NOW, ['b', 'c']])
  })

  t.test('a partitioned cookie of a domain is cleared as such', async (t) => {
    const { ask } = await createMoving({}, { cookie: { domain: 'example.com', path: '/shop', partitioned: true } })
    t.match(setCookieLines(await ask('/read'))[0], /^old=; .*Domain=example.com; Path=\/shop; .*Secure; .*Partitioned/)
  })

  t.test('what a reader needs is loaded at start', async (t) => {
    let started = 0
    await createMoving({}, { start: async () => void started++ })
    t.equal(started, 1)
    const start = async (): Promise<void> => {
      throw Object.assign(new Error('no'), { code: 'ERR_NO' })
    }
    await t.rejects(createMoving({}, { start }), { code: 'ERR_NO' })
  })

  t.test('one that fails is an outage', async (t) => {
    const { ask, library } = await createMoving()
    library.before = () => {
      throw new Error('connection lost')
    }
    const response = await ask('/read')
    t.match(response.json(), { statusCode: 503, code: 'ERR_SESSION_STORE_UNAVAILABLE' })
    t.same(setCookieLines(response), [])
    t.same((await ask('/anonymous')).json(), {})
    library.before = () => undefined
    t.same((await ask('/read')).json(), { userId: 7 })
  })

  t.test('one that never answers, or not as it should, is one, too', async (t) => {
    const { ask } = await createMoving({ store: memory, storeTimeout: 0.05 }, { read: () => new Promise(() => {}) })
    // The deadline alone does not keep the process alive.
    const alive = setInterval(() => {}, 1000)
    t.equal((await ask('/read')).statusCode, 503)
    clearInterval(alive)
    for (const answer of [undefined, null, 'yes', { key: 1 }, { key: 'a', data: 1 }, { key: 'a', data: null }]) {
      const { ask } = await createMoving({}, { read: () => answer as never })
      t.equal((await ask('/read')).statusCode, 503)
    }
  })

  t.test('a route without sessions asks none', async (t) => {
    const { ask, library } = await createMoving()
    t.same((await ask('/off')).json(), {})
    t.same(library.asked, [])
  })

  t.test('a session that is read before they have answered is not loaded yet', async (t) => {
    const library = new OldLibrary()
    library.records.set('ada', { data: { userId: 7 } })
    const made = await createApp({ adopt: [library.reader()] }, {})
    const { app, warnings } = made
    const early: unknown[] = []
    const { default: fastify } = await import('fastify')
    const outer = fastify()
    outer.addHook('onRequest', async (request) => {
      early.push({ ...request.session })
      t.throws(() => (request.session.visits = 1), { code: 'ERR_SESSION_NOT_LOADED' })
    })
    const { session } = await import('../../lib/index.ts')
    await outer.register(session, { secret: SECRET, adopt: [library.reader()] })
    outer.get('/', async ({ session }) => ({ ...session }))
    const response = await outer.inject({ url: '/', headers: { cookie: 'old=ada' } })
    t.same(response.json(), { userId: 7 })
    t.same(early, [{}])
    t.same(warnings(), [])
    await app.close()
  })
})

t.test('the other library', async (t) => {
  t.test('a record that it cannot remove does not fail the request, and a warning says so', async (t) => {
    const { browser, library, warnings } = await createMoving()
    library.beforeEnd = () => {
      throw new Error('read only')
    }
    t.same(names(await browser.get('/read')), ['old=', 'session='])
    t.match(warnings(), [{ level: 40, err: { message: 'read only' } }])
  })

  t.test('a logout that cannot end its session fails', async (t) => {
    const { browser, library } = await createMoving({ store: memory }, { remove: false })
    await browser.get('/read')
    library.beforeEnd = () => {
      throw new Error('read only')
    }
    t.equal((await browser.get('/logout')).statusCode, 500)
  })

  t.test('a login does not fail because it cannot be asked', async (t) => {
    const { browser, library, warnings } = await createMoving({ store: memory }, { remove: false })
    await browser.get('/read')
    library.before = () => {
      throw new Error('connection lost')
    }
    t.equal((await browser.get('/login')).statusCode, 200)
    t.equal(warnings().length, 1)
  })

  t.test('a reader without records, and one whose sessions have no end', async (t) => {
    const read: SessionReader['read'] = (key) => ({ key, isUnique: true, data: { userId: 7 } })
    const { ask, browser } = await createMoving({ store: memory }, { remove: false, read })
    await browser.get('/read')
    await browser.get('/logout')
    t.same((await ask('/read')).json(), {})
    const removing = await createMoving({}, { read })
    t.same(names(await removing.browser.get('/read')), ['old=', 'session='])
  })

  t.test('a record that has ended there is not joined if it was not removed here', async (t) => {
    const { ask, library } = await createMoving({ store: memory }, { remove: false })
    await ask('/read')
    library.records.delete('ada')
    t.same((await ask('/read')).json(), {})
  })
})

t.test('stores', async (t) => {
  t.test('an owner with as many sessions as the limit allows gets no other', async (t) => {
    const options = { store: memory, maxPerOwner: 1, maxPerOwnerPolicy: 'refuse' } as const
    const { ask, library } = await createMoving(options)
    library.records.set('other', { data: { userId: 7 }, ownerId: '7' })
    t.same((await ask('/read')).json(), { userId: 7 })
    t.same((await ask('/read', 'old=other')).json(), {})
  })

  t.test('the session of another process that has just begun is joined', async (t) => {
    const inner = new MemoryStore({ clock: () => START.getTime() })
    const store = new RecordingStore(inner)
    const one = await createMoving({ store })
    const other = await createMoving({ store: inner })
    let theirs: { id: string } | undefined
    store.before = async (method) => {
      if (method !== 'create' || theirs !== undefined) return
      theirs = { id: '' }
      theirs = (await other.ask('/times')).json()
    }
    t.equal((await one.ask('/times')).json().id, theirs?.id)
  })

  t.test('one that has begun and ended is not', async (t) => {
    const inner = new MemoryStore({ clock: () => START.getTime() })
    const store = new RecordingStore(inner)
    const one = await createMoving({ store }, { remove: false })
    const other = await createMoving({ store: inner }, { remove: false })
    let isFirst = true
    store.before = async (method) => {
      if (method !== 'create' || !isFirst) return
      isFirst = false
      await other.browser.get('/read')
      await other.browser.get('/logout')
    }
    t.same((await one.ask('/read')).json(), {})
    t.same(await inner.list('7'), [])
  })

  t.test('one that ends between two looks is not', async (t) => {
    const inner = new MemoryStore({ clock: () => START.getTime() })
    const store = new RecordingStore(inner)
    const one = await createMoving({ store }, { remove: false })
    const other = await createMoving({ store: inner }, { remove: false })
    let step = 0
    store.before = async (method) => {
      if (method !== 'create' || step++ > 0) return
      await other.browser.get('/read')
    }
    store.after = async (method) => {
      if (method === 'create' && step === 1) await other.browser.get('/logout')
    }
    t.same((await one.ask('/read')).json(), {})
  })

  t.test('a store that fails when the session is saved is an outage', async (t) => {
    const store = new RecordingStore(new MemoryStore({ clock: () => START.getTime() }))
    const { ask, library } = await createMoving({ store })
    store.before = (method) => {
      if (method === 'create') throw new Error('full')
    }
    t.equal((await ask('/read')).statusCode, 503)
    store.before = (method) => {
      if (method === 'load') throw new Error('down')
    }
    t.equal((await ask('/read')).statusCode, 503)
    t.same(library.ended, [])
  })

  t.test('one that is damaged in the store is refused', async (t) => {
    const store = new RecordingStore(new MemoryStore({ clock: () => START.getTime() }))
    const { ask } = await createMoving({ store }, { remove: false })
    await ask('/read')
    store.before = (method) => {
      if (method === 'load') throw new UnreadableError('damaged')
    }
    t.same((await ask('/read')).json(), {})
  })

  t.test('an old cookie that comes during a login is late', async (t) => {
    const { ask, browser } = await createMoving({ store: memory })
    await browser.get('/read')
    await browser.get('/login')
    const decisions = await decisionsOf(() => ask('/write'))
    t.same(decisions, ['open: renamed', 'commit: renamed'])
  })
})

t.test(
  'without a store, the reply to a request that is too late makes the browser forget the old cookie',
  async (t) => {
    const { ask } = await createMoving()
    const decisions = await decisionsOf(async () => {
      t.same(names(await ask('/write', 'old=unknown')), ['old='])
    })
    t.same(decisions, ['open: renamed', 'commit: renamed'])
  }
)

t.test('with a list of revocations, the end of everything ends old sessions, too', async (t) => {
  const { app, ask } = await createMoving({ revocations: (clock) => new MemoryRevocations({ clock }) }, {}, false)
  await app.sessions.revokeEverything()
  t.same((await ask('/read')).json(), {})
})

t.test('the end of all sessions of an owner ends those of theirs that are still to come', async (t) => {
  const { app, ask } = await createMoving({ revocations: (clock) => new MemoryRevocations({ clock }) }, {}, false)
  await app.sessions.revokeAll('7')
  t.same((await ask('/read')).json(), {})
})

t.test('a logout with old cookies that open nothing, or none, and with one that has an end', async (t) => {
  const { app, ask, browser, library } = await createMoving({ store: memory }, { remove: false })
  library.records.set('ada', { data: { userId: 7 }, expiresAt: NOW + 60 })
  await browser.get('/read')
  const cookie = browser.jar.header()
  t.same(names(await ask('/logout', `${cookie}; old=forged`)).sort(), ['old=', 'session='])
  t.same((await ask('/read')).json(), {})
  t.same(setCookieLines(await app.inject('/logout')), [])
})

t.test('an error of this package passes through', async (t) => {
  const { ask } = await createMoving(
    {},
    {
      read: () => {
        throw new InvalidValueError('no')
      }
    }
  )
  t.match((await ask('/read')).json(), { statusCode: 500, code: 'ERR_SESSION_VALUE' })
})

t.test('no cache keeps a reply that clears an old cookie', async (t) => {
  const { app, ask } = await createMoving()
  app.get('/public', async ({ session }, reply) => {
    reply.header('cache-control', 'public, max-age=60')
    await session.destroy()
  })
  const response = await ask('/public')
  t.same(names(response), ['old='])
  t.notMatch(response.headers['cache-control'], 'public')
})

t.test('a page for shared caches sends the cookie of an adopted session, too, and is private then', async (t) => {
  for (const options of [{}, { store: memory }] as LooseOptions[]) {
    const { app, ask } = await createMoving(options, { remove: options.store !== memory })
    app.get('/news', async (_request, reply) => {
      reply.header('cache-control', 'public, max-age=60')
      return 'news'
    })
    const response = await ask('/news')
    t.ok(names(response).includes('session='))
    t.notMatch(response.headers['cache-control'], 'public')
  }
})

t.test('commit() sends what the reply sends', async (t) => {
  const { app, ask } = await createMoving()
  app.get('/hijacked', async ({ session }: { session: Session<SessionData> }, reply) => {
    await session.commit()
    reply.hijack()
    reply.raw.end('ok')
  })
  const response = await ask('/hijacked')
  t.same(names(response).sort(), ['old=', 'session='])
})

t.test('a logout after the headers ends the old session all the same', async (t) => {
  const { app, ask, library } = await createMoving({ store: memory })
  app.get('/stream', async ({ session }, reply) => {
    reply.hijack()
    reply.raw.writeHead(200)
    reply.raw.write('a')
    await session.destroy()
    await session.commit().catch(() => {})
    reply.raw.end()
  })
  await ask('/stream')
  t.same(library.ended, ['ada'])
})
