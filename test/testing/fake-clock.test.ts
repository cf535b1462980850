import t from 'tap'
import { MemoryStore } from '../../lib/index.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { readSession } from '../../lib/testing/read-session.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import { createApp } from '../helpers/app.ts'

const NOON = new Date('2026-11-21T12:00:00.250Z')

t.test('a fake clock starts in 2100, or at a given date, and stands still', (t) => {
  t.equal(new FakeClock().now(), Date.parse('2100-01-01T00:00:00.000Z'))
  t.equal(new FakeClock().now(), new FakeClock().now())
  const { now } = new FakeClock(NOON)
  t.equal(now(), NOON.getTime(), 'without its object')
  t.end()
})

t.test('a fake clock moves by seconds, or to a date', (t) => {
  const clock = new FakeClock(NOON)
  clock.advance(60)
  clock.advance(0.5)
  t.equal(new Date(clock.now()).toISOString(), '2026-11-21T12:01:00.750Z')
  clock.advance(-60.5)
  t.equal(clock.now(), NOON.getTime())
  clock.set(new Date(0))
  t.equal(clock.now(), 0)
  t.end()
})

t.test('a fake clock copies the date that it is set to', (t) => {
  const date = new Date(NOON)
  const clock = new FakeClock(date)
  date.setFullYear(2000)
  t.equal(clock.now(), NOON.getTime())
  t.end()
})

t.test('an invalid time is refused, and the clock does not move', (t) => {
  const clock = new FakeClock(NOON)
  for (const seconds of [Number.NaN, Number.POSITIVE_INFINITY, '60', undefined, 60n]) {
    t.throws(() => clock.advance(seconds as never), { code: 'ERR_SESSION_VALUE' }, String(seconds))
  }
  for (const date of [new Date('yesterday'), 5, '2026-11-21', undefined, null]) {
    t.throws(() => clock.set(date as never), { code: 'ERR_SESSION_VALUE' }, String(date))
  }
  t.throws(() => new FakeClock('2026-11-21' as never), { code: 'ERR_SESSION_VALUE' })
  t.equal(clock.now(), NOON.getTime())
  t.end()
})

t.test('the plugin uses the fake clock', async (t) => {
  const clock = new FakeClock()
  const { app } = await createApp({ clock: clock.now, idleTimeout: 1800 })
  app.get('/', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return session.visits
  })
  const cookie = String((await app.inject('/')).headers['set-cookie'])
  const visits = async (): Promise<string> => (await app.inject({ url: '/', headers: { cookie } })).body
  clock.advance(1800)
  t.equal(await visits(), '2')
  clock.advance(1)
  t.equal(await visits(), '1')
})

t.test('a store with the real clock does not expire the sessions of a fake clock', async (t) => {
  const clock = new FakeClock()
  const { app } = await createApp({ clock: clock.now, store: new MemoryStore() })
  const cookie = await sessionCookie(app, { visits: 1 })
  t.equal((await readSession(app, cookie)).reason, 'opened')
  clock.advance(86_401)
  t.equal((await readSession(app, cookie)).reason, 'expired-idle')
})
