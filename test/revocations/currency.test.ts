import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type * as Tap from 'tap'
import t from 'tap'
import { Currency } from '../../lib/revocations/currency.ts'
import { FakeTime } from '../helpers/fake-time.ts'

const UNAVAILABLE = { code: 'ERR_SESSION_STORE_UNAVAILABLE', statusCode: 503, headers: { 'retry-after': '5' } }
const NOW = 1_763_640_000

function create(t: Tap.Test, onStale: 'accept' | 'refuse') {
  const time = new FakeTime(t)
  const lines: string[] = []
  const note =
    (level: string) =>
    (_facts: object, text: string): void =>
      void lines.push(`${level}: ${text}`)
  const log = { info: note('info'), warn: note('warn') } as never
  const currency = new Currency({ cookieName: 'session', maxStaleness: 5, onStale }, log, () => 3)
  return { time, lines, currency }
}

t.test('nothing is served until the list has answered, and then for maxStaleness', (t) => {
  const { time, lines, currency } = create(t, 'refuse')
  t.throws(() => currency.assert(), UNAVAILABLE)
  t.throws(() => currency.assert(), UNAVAILABLE)
  t.same(lines, [
    'warn: The list of revoked sessions has not answered yet. Requests with a session are answered with 503.'
  ])
  currency.answered(time.now, NOW)
  currency.assert()
  t.same(lines.splice(0).at(-1), 'info: The list of revoked sessions answers again.')
  time.advance(5000)
  currency.assert()
  currency.failed(new Error('down'))
  t.same(lines, [], 'one failure is none')
  time.advance(1)
  currency.failed(new Error('still down'))
  const error = t.throws(() => currency.assert(), UNAVAILABLE) as Error
  t.match(error.cause, { message: 'still down' })
  t.same(lines, [
    'warn: The list of revoked sessions has not answered for 5 s. Requests with a session are answered with 503.'
  ])
  t.end()
})

t.test('or longer, with a warning, and without noting activity', (t) => {
  const { time, lines, currency } = create(t, 'accept')
  t.equal(currency.activityUntil(NOW), NOW, 'nobody knows yet')
  t.throws(() => currency.assert(), UNAVAILABLE)
  currency.answered(time.now, NOW)
  t.equal(currency.activityUntil(NOW + 5), NOW + 5)
  lines.length = 0
  time.advance(5001)
  currency.assert()
  currency.assert()
  t.same(lines, [
    'warn: The list of revoked sessions has not answered for 5 s. A session that another process ends now still opens here.'
  ])
  t.equal(currency.activityUntil(NOW + 3), NOW + 3)
  t.equal(currency.activityUntil(NOW + 60), NOW + 5)
  currency.answered(time.now, NOW + 60)
  t.equal(currency.activityUntil(NOW + 60), NOW + 60)
  t.end()
})

t.test('whoever listens learns when it changes', (t) => {
  const { time, currency } = create(t, 'accept')
  const heard: unknown[] = []
  const note = (message: unknown): void => void heard.push(message)
  subscribe('fastify-typed-session/revocations', note)
  currency.answered(time.now, NOW)
  currency.answered(time.now, NOW)
  time.advance(5001)
  currency.failed(new Error('down'))
  currency.failed(new Error('down'))
  currency.answered(time.now, NOW)
  unsubscribe('fastify-typed-session/revocations', note)
  t.same(
    heard,
    ['current', 'stale', 'current'].map((state) => ({ state, cookieName: 'session', entries: 3 }))
  )
  t.end()
})
