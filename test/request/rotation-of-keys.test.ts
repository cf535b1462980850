import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, MODES, OTHER_SECRET, SECRET, withOneStore } from '../helpers/app.ts'
import { createVisited } from '../helpers/visited-app.ts'

for (const { mode, options } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('a cookie under an old key is sent again under the new one, and nobody is logged out', async (t) => {
      const shared = withOneStore(options)
      const before = await createApp({ ...shared, secret: OTHER_SECRET })
      before.app.get('/', async ({ session }) => {
        session.userId = 7
        return session.id
      })
      const after = await createApp({ ...shared, secret: [SECRET, OTHER_SECRET] })
      after.app.get('/untouched', async () => '')
      after.app.get('/', async ({ session }) => ({ user: session.userId, id: session.id }))
      const later = await createApp({ ...shared, secret: SECRET })
      later.app.get('/', async ({ session }) => session.userId ?? 'nobody')

      const old = await createClient(before.app)
      const { body: id } = await old.get('/')
      const cookie = old.jar.header()
      let response = await after.app.inject({ url: '/untouched', headers: { cookie } })
      t.equal(setCookieLines(response).length, 1, 'on a route that does not look')
      const decisions = await decisionsOf(async () => {
        response = await after.app.inject({ url: '/', headers: { cookie } })
      })
      t.same(decisions, ['open: opened', 'commit: rekeyed'])
      t.same(response.json(), { user: 7, id })
      const renewed = (setCookieLines(response)[0] as string).split(';', 1)[0] as string
      t.equal((await later.app.inject({ url: '/', headers: { cookie: renewed } })).body, '7')
      t.equal((await later.app.inject({ url: '/', headers: { cookie } })).body, 'nobody')
    })
  })
}

t.test('another secret asks for another cookie and changes nothing of the session', async (t) => {
  const { store, visitor, key, clock } = await createVisited({ secret: OTHER_SECRET })
  const after = await createApp({ secret: [SECRET, OTHER_SECRET], store, clock: clock.now })
  after.app.get('/', async ({ session }) => session.id)
  const response = await after.app.inject({ url: '/', headers: { cookie: visitor.jar.header() } })
  t.equal(response.body, key)
  t.equal(setCookieLines(response).length, 1)
  t.same(store.takeMethods(), ['load', 'touch'])
})
