import type { FastifyInstance } from 'fastify'
import type * as Tap from 'tap'
import t from 'tap'
import type { CookieAttributes } from '../../lib/index.ts'
import { readSession } from '../../lib/testing/read-session.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, createStoredApp, MODES, OTHER_SECRET, START } from '../helpers/app.ts'

const before = (seconds: number): Date => new Date(START.getTime() - seconds * 1000)

async function createSite(options: LooseOptions, cookie: CookieAttributes = {}) {
  const site = await createApp({ ...options, cookie })
  const { app } = site
  app.get('/app/', async ({ session }) => session.name ?? 'nobody')
  app.get('/app/login', async ({ session }) => {
    await session.renew()
    session.name = 'Cleo'
    return ''
  })
  app.get('/app/anew', async ({ session }) => {
    await session.regenerate()
    session.name = 'Cleo'
    return ''
  })
  app.get('/app/logout', async ({ session }) => session.destroy())
  app.get('/app/clear', async ({ session }) => session.clear())
  app.get('/app/leave', async ({ session }) => {
    await session.destroy()
    await session.commit()
    throw new Error('a handler that fails')
  })
  const ada = await sessionCookie(app, { name: 'Ada' }, { lastSeenAt: before(20) })
  const ben = await sessionCookie(app, { name: 'Ben' }, { lastSeenAt: before(10) })
  const lines = async (url: string, cookie: string): Promise<string[]> =>
    setCookieLines(await app.inject({ url, headers: { cookie } }))
  return { ...site, ada, ben, lines }
}

/** The places of lines in their order: `set` or `clear`, domain and path. */
function placesOf(lines: string[]): string[] {
  return lines.map((line) => {
    const [, domain = '-'] = line.match(/; Domain=([^;]+)/) ?? []
    const [, path] = line.match(/; Path=([^;]+)/) ?? []
    return `${line.startsWith('session=; Max-Age=0; ') ? 'clear' : 'set'} ${domain} ${path}`
  })
}

async function whoIs(app: FastifyInstance, cookie: string): Promise<string> {
  return (await app.inject({ url: '/app/', headers: { cookie } })).body
}

for (const { mode, options, isSelfContained } of MODES) {
  const test = (name: string, run: (t: Tap.Test) => Promise<void>): unknown => t.test(`${mode}: ${name}`, run)

  for (const [attributes, others] of [
    [{}, []],
    [{ domain: 'shop.test' }, ['- /']],
    [{ path: '/app' }, ['- /']],
    [{ domain: 'shop.test', path: '/app' }, ['shop.test /', '- /app', '- /']]
  ] as const) {
    const { domain = '-', path = '/' }: CookieAttributes = attributes
    const own = `${domain} ${path}`

    test(`a new cookie for ${own} clears the older ones that can be known`, async (t) => {
      const cleared = others.map((place) => `clear ${place}`)
      for (const url of ['/app/login', '/app/anew']) {
        const { ada, ben, lines } = await createSite(options, attributes)
        t.same(placesOf(await lines(url, `${ada}; ${ben}`)), [...cleared, `set ${own}`])
        t.same(placesOf(await lines(url, ada)), [`set ${own}`], 'there is no other')
      }
    })

    test(`a logout clears the cookie for ${own} and the older ones that can be known`, async (t) => {
      const cleared = [own, ...others].map((place) => `clear ${place}`)
      for (const url of ['/app/logout', '/app/clear', '/app/leave']) {
        const logOut = async (cookie: (site: Awaited<ReturnType<typeof createSite>>) => string): Promise<string[]> => {
          const site = await createSite(options, attributes)
          return placesOf(await site.lines(url, cookie(site)))
        }
        t.same(await logOut(({ ben }) => ben), cleared, 'the only one may be an older one')
        const outranked = [...cleared.slice(1), `set ${own}`]
        t.same(await logOut(({ ada, ben }) => `${ada}; ${ben}`), isSelfContained ? outranked : cleared)
        t.same(await logOut(({ ben }) => `session=1; ${ben}`), [`clear ${own}`], 'what does not open stays')
      }
    })
  }

  test('a logout ends what any cookie of the request opens', async (t) => {
    for (const url of ['/app/logout', '/app/clear']) {
      const { app, ada, ben, lines } = await createSite(options)
      const cleo = await sessionCookie(app, { name: 'Cleo' }, { lastSeenAt: before(30), permanent: true })
      t.equal(await whoIs(app, `${cleo}; ${ada}; ${ben}`), 'Ben')
      const [line = ''] = await lines(url, `${cleo}; ${ada}; ${ben}`)
      const [left = ''] = line.split('; ')
      const kept = left === 'session=' ? [] : [left]
      t.equal(await whoIs(app, [cleo, ada, ...kept].join('; ')), 'nobody')
      t.equal(await whoIs(app, [...kept, cleo, ada].join('; ')), 'nobody', 'in whatever order they come')
      if (isSelfContained) {
        t.match(line, /; Max-Age=86400; /, 'the cookie that outranks the others outlives them')
        t.match(await readSession(app, left), { reason: 'opened', data: {}, ownerId: undefined, permanent: false })
      } else {
        t.same(kept, [])
        for (const cookie of [cleo, ada, ben]) t.equal((await readSession(app, cookie)).reason, 'not-found')
      }
    }
  })

  test('what a login and a logout write outranks what was there, also if its clock was ahead', async (t) => {
    const { app, lines } = await createSite(options)
    for (const [url, name] of [
      ['/app/login', 'Cleo'],
      ['/app/anew', 'Cleo'],
      ['/app/logout', 'nobody']
    ] as const) {
      const ada = await sessionCookie(app, { name: 'Ada' }, { lastSeenAt: before(-30) })
      const ben = await sessionCookie(app, { name: 'Ben' }, { lastSeenAt: before(-30) })
      const [line = ''] = await lines(url, `${ada}; ${ben}`)
      const [cookie = ''] = line.split('; ')
      t.equal(await whoIs(app, cookie === 'session=' ? ada : `${ada}; ${cookie}`), name)
    }
  })
}

for (const { mode, options } of MODES.filter(({ isSelfContained }) => isSelfContained)) {
  t.test(
    `${mode}: after a logout that cannot clear an older cookie, the visitor is nobody until it expires`,
    async (t) => {
      const { app, clock, ada, ben, lines } = await createSite({ ...options, idleTimeout: 100, refreshAfter: 0 })
      let [cookie = ''] = (await lines('/app/logout', `${ada}; ${ben}`))[0]?.split('; ') ?? []
      for (let seconds = 0; seconds < 75; seconds += 25) {
        clock.advance(25)
        const [line = ''] = await lines('/app/', `${ada}; ${cookie}`)
        cookie = line.split('; ')[0] ?? ''
        t.equal(await whoIs(app, `${ada}; ${cookie}`), 'nobody')
      }
      const login = await lines('/app/login', `${ada}; ${cookie}`)
      const [cleo = ''] = login[0]?.split('; ') ?? []
      t.equal(await whoIs(app, `${ada}; ${cleo}`), 'Cleo', 'and can log in')
      clock.advance(25)
      t.match((await lines('/app/', `${ada}; ${cookie}`))[0], /^session=; Max-Age=0; /, 'then the place is free')
    }
  )
}

t.test('what does not open stays: it may be the cookie of another program', async (t) => {
  const { ada, lines } = await createSite({}, { domain: 'shop.test' })
  const other = await createSite({ secret: OTHER_SECRET })
  for (const cookie of [other.ben, 'session=1']) {
    t.same(placesOf(await lines('/app/login', `${cookie}; ${ada}`)), ['set shop.test /'])
  }
})

t.test('a logout that cannot end an older session has failed', async (t) => {
  const { app, store } = await createStoredApp()
  app.get('/logout', async ({ session }) => session.destroy())
  const ada = await sessionCookie(app, { name: 'Ada' }, { lastSeenAt: before(20) })
  const ben = await sessionCookie(app, { name: 'Ben' })
  const { id } = await readSession(app, ada)
  store.before = (method, [key]) => {
    if (method === 'destroy' && key === id) throw new Error('the store is down')
  }
  const response = await app.inject({ url: '/logout', headers: { cookie: `${ada}; ${ben}` } })
  t.equal(response.statusCode, 503)
})
