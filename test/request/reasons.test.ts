import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { LooseOptions, Mode } from '../helpers/app.ts'
import { createApp, decisionsOf, MODES, OTHER_SECRET, withOneStore } from '../helpers/app.ts'
import { setVisits } from '../helpers/visited-app.ts'

const LIMITS = { idleTimeout: 100, absoluteTimeout: 150, refreshAfter: 0 }

/** The cookie of a visitor of an application with these options. */
async function cookieOf(options: LooseOptions): Promise<string> {
  const { app } = await createApp(options)
  app.get('/', setVisits)
  const visitor = await createClient(app)
  await visitor.get('/')
  return visitor.jar.header()
}

/** The kind of cookie: all those with a store have one. */
function kindOf({ mode, isSelfContained }: Pick<Mode, 'mode' | 'isSelfContained'>): string {
  return isSelfContained ? mode : 'reference'
}

function tamper(cookie: string): string {
  return `${cookie.slice(0, -10)}${cookie.at(-10) === 'A' ? 'B' : 'A'}${cookie.slice(-9)}`
}

for (const { mode, options, isRemote, isSelfContained } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('a bad cookie is an empty session with one reason, wherever that is told', async (t) => {
      const shared = withOneStore({ ...options, ...LIMITS, debug: 'always' })
      const good = await cookieOf(shared)
      const others = MODES.filter((other) => kindOf(other) !== kindOf({ mode, isSelfContained }))
      const foreign = await Promise.all(others.map((other) => cookieOf(other.options)))
      const cases: [cookie: string | undefined, after: number, reason: string][] = [
        [undefined, 0, 'no-cookie'],
        ['other=1', 0, 'no-cookie'],
        ['session=', 0, 'malformed'],
        ['session=forged', 0, 'malformed'],
        [`${good}x`, 0, mode === 'encrypted' ? 'bad-signature' : 'malformed'],
        [tamper(good), 0, 'bad-signature'],
        [await cookieOf({ ...shared, secret: OTHER_SECRET }), 0, 'unknown-key'],
        ...foreign.map((cookie): [string, number, string] => [cookie, 0, 'malformed']),
        // The clock of the one store stands still: the application itself judges.
        [good, 101, 'expired-idle'],
        [good, 151, 'expired-absolute']
      ]
      if (!isSelfContained) cases.push([await cookieOf({ ...options, ...LIMITS }), 0, 'not-found'])
      for (const [cookie, after, reason] of cases) {
        const { app, clock, logs } = await createApp(shared)
        app.get('/', async ({ session }) => ({ ...session, isNew: session.isNew }))
        clock.advance(after)
        let response = await app.inject('/')
        logs.length = 0
        const decisions = await decisionsOf(async () => {
          response = await app.inject({ url: '/', headers: cookie === undefined ? {} : { cookie } })
        })
        const label = `${reason}: ${cookie?.slice(0, 12)}`
        t.equal(response.statusCode, 200, label)
        t.same(response.json(), { isNew: true }, label)
        // The id is genuine, and the browser is told to forget it.
        const told = reason === 'not-found' ? 'stale' : 'empty'
        t.equal(setCookieLines(response).length, told === 'stale' ? 1 : 0, label)
        t.same(decisions, [`open: ${reason}`, `commit: ${told}`], label)
        t.equal(response.headers['session-trace'], `session; open=${reason}; commit=${told}`, label)
        const logged = logs.flatMap(({ session }) =>
          session === undefined ? [] : [`${session.phase}: ${session.reason}`]
        )
        t.same(logged, decisions, label)
      }
    })

    t.test('what a request does to a session has one reason, too', async (t) => {
      const { app, clock } = await createApp({ ...options, debug: 'always', refreshAfter: 60 })
      app.get('/set', setVisits)
      app.get('/read', async ({ session }) => session.visits)
      app.get('/untouched', async () => '')
      app.get('/count', async ({ session }) => {
        session.visits = (session.visits ?? 0) + 1
        return session.visits
      })
      app.get('/renew', async ({ session }) => session.renew())
      app.get('/off', { config: { session: false } }, async ({ session }) => session.visits ?? 'none')
      app.get('/clear', async ({ session }) => session.clear() ?? '')
      app.get('/logout', async ({ session }) => session.destroy())
      const visitor = await createClient(app)
      const ask = async (url: string): Promise<unknown> => (await visitor.get(url)).headers['session-trace']
      const isOpened = isRemote ? ' open=opened;' : ''
      t.equal(await ask('/set'), 'session; open=no-cookie; commit=created')
      t.equal(await ask('/read'), 'session; open=opened; commit=unchanged')
      t.equal(await ask('/untouched'), `session;${isOpened} commit=untouched`)
      t.equal(await ask('/count'), 'session; open=opened; commit=changed')
      t.equal(await ask('/renew'), 'session; open=opened; commit=renewed')
      t.equal(await ask('/off'), 'session; open=disabled; commit=disabled')
      clock.advance(60)
      t.equal(await ask('/untouched'), 'session; open=opened; commit=restamped')
      t.equal(await ask('/clear'), 'session; open=opened; commit=emptied')
      await ask('/set')
      t.equal(await ask('/logout'), 'session; open=opened; commit=destroyed')
      const quiet = await createApp(options)
      quiet.app.get('/', setVisits)
      t.equal((await quiet.app.inject('/')).headers['session-trace'], undefined, 'no header without debug')
    })
  })
}
