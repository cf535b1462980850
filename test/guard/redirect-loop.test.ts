import t from 'tap'
import { assertOtherPage, countRedirect } from '../../lib/guard/redirect-loop.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { createApp, MODES } from '../helpers/app.ts'

const LOOP = { code: 'ERR_SESSION_REDIRECT_LOOP', statusCode: 500 }

t.test('a redirect to the same path of the same host is refused', async (t) => {
  for (const [target, page, wanted] of [
    ['/login', '/login', undefined],
    ['/login?a#b', '/login?c', undefined],
    ['https://shop.test/login', '/login', undefined],
    // Behind a proxy that takes off `/app`.
    ['/app/login', '/login?next=%2Flogin', '/login'],
    ['https://shop.test/app/login', '/login?next=%2Flogin%3Fnext', '/login?next']
  ] as const) {
    t.throws(() => assertOtherPage(target, page, 'Shop.test', wanted), LOOP, `${target} ${page}`)
  }
})

t.test('every other redirect passes', async (t) => {
  for (const [target, page, wanted] of [
    ['/login', '/', undefined],
    ['/login', '/login/', undefined],
    ['/app/login', '/login', undefined],
    ['/app/login', '/login?next=/me', '/me'],
    ['/login', '/me?next=/me', '/me'],
    ['https://other.test/login', '/login', undefined],
    ['https://other.test/login', '/login?next=/login', '/login']
  ] as const) {
    t.doesNotThrow(() => assertOtherPage(target, page, 'shop.test', wanted), `${target} ${page}`)
  }
})

/** Creates a visitor with a session, and counts a redirect of each requested page. Returns the codes of the errors. */
async function createCounting(options = {}) {
  const { app, clock } = await createApp(options)
  app.get('/data', async ({ session }) => session.data())
  app.get('/fill', async ({ session }) => {
    session.name = 'x'
    const { bytes, limit } = session.size()
    session.name = 'x'.repeat(Math.floor(((limit - bytes) * 3) / 4))
    return ''
  })
  app.get('/begin', async ({ session }) => {
    session.visits = 1
    return ''
  })
  app.get('/*', async (request) => {
    countRedirect(request, 'session', request.originalUrl)
    return ''
  })
  const visitor = await createClient(app)
  const redirect = async (url: string, times = 1): Promise<number[]> => {
    const statuses: number[] = []
    for (let time = 0; time < times; time++) statuses.push((await visitor.get(url)).statusCode)
    return statuses
  }
  return { clock, visitor, redirect }
}

t.test('the fifth redirect of one page within ten seconds is an error', async (t) => {
  for (const { mode, options } of MODES) {
    const { clock, visitor, redirect } = await createCounting(options)
    await visitor.get('/begin')
    t.same(await redirect('/a?b', 4), [200, 200, 200, 200], mode)
    t.match((await visitor.get('/a?c')).json(), { ...LOOP, message: /logged in/ }, mode)
    clock.advance(10)
    t.same(await redirect('/a'), [500], 'ten seconds later, too')
    clock.advance(1)
    t.same(await redirect('/a', 4), [200, 200, 200, 200], 'then it is counted anew')
    t.same(await redirect('/b'), [200], 'and so is another page')
    t.same(await redirect('/a', 4), [200, 200, 200, 200])
  }
})

t.test('nothing is counted without a session, nor in one that has no room', async (t) => {
  const { visitor, redirect } = await createCounting()
  t.same(await redirect('/a', 6), [200, 200, 200, 200, 200, 200])
  t.equal(visitor.jar.header(), '')
  await visitor.get('/fill')
  t.same(await redirect('/a', 6), [200, 200, 200, 200, 200, 200])
  t.same(Object.keys((await visitor.get('/data')).json()), ['name'])
})
