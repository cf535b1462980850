import { setImmediate as turn } from 'node:timers/promises'
import type * as Tap from 'tap'
import t from 'tap'
import { Endings, EVERYTHING, endingOf, endingOfAll } from '../../lib/endings/endings.ts'
import type { Found, Signalled } from '../../lib/endings/signals.ts'
import { Signals } from '../../lib/endings/signals.ts'
import { readTimeout } from '../../lib/format/timeouts.ts'
import type { SessionStore } from '../../types/store.ts'
import { FakeTime } from '../helpers/fake-time.ts'

const NOW = 1_763_640_000
const IDLE = 600
const TIMES = { createdAt: NOW, lastSeenAt: NOW, extensions: undefined }

function create(t: Tap.Test, { signalInterval = 5, store }: { signalInterval?: number; store?: SessionStore } = {}) {
  const time = new FakeTime(t)
  const start = time.now
  const endings = new Endings('session', store)
  const told: string[] = []
  endings.listen(({ handle, reason }) => told.push(`${handle} ${reason}`))
  const looks: string[] = []
  /** What is there, by the handle; `undefined` where nobody knows. */
  const there: Record<string, Found | Error> = {}
  const successors: Record<string, string[]> = {}
  const signals = new Signals(
    endings,
    {
      lookUp(handle) {
        looks.push(handle)
        const found = there[handle]
        if (found instanceof Error) throw found
        return found
      },
      successorsOf: (handle) => successors[handle] ?? []
    },
    {
      signalInterval,
      clock: () => NOW * 1000 + (time.now - start),
      expiresAt: ({ lastSeenAt, extensions }) => lastSeenAt + (readTimeout(extensions, 'idleTimeout') ?? IDLE)
    }
  )
  t.teardown(() => signals.close())
  const open = (handle: string, facts: Partial<Signalled> = {}, isSaved = true) =>
    signals.open({ handle, ownerId: 'ana', ...TIMES, ...facts }, () => isSaved)
  const later = async (seconds: number): Promise<void> => {
    time.advance(seconds * 1000)
    for (let turns = 0; turns < 5; turns++) await turn()
  }
  return { endings, signals, open, later, told, looks, there, successors, time }
}

const stateOf = ({ signal }: { signal: AbortSignal }): string | undefined =>
  signal.aborted ? signal.reason.reason : undefined

t.test('a signal aborts with what ends its session, and no other one does', async (t) => {
  const { endings, signals, open } = create(t)
  t.equal(signals.hasOpen, false)
  const [one, twin, other] = [open('a'), open('a'), open('b')]
  t.equal(signals.hasOpen, true)
  endings.announce(endingOf('a', 'destroyed'))
  t.same([one, twin, other].map(stateOf), ['destroyed', 'destroyed', undefined])
  t.match(one.signal.reason, { code: 'ERR_SESSION_ENDED', statusCode: 401, message: 'The session has ended.' })
  other.close()
  endings.announce(endingOf('b', 'destroyed'))
  t.equal(stateOf(other), undefined, 'nobody is connected any more')
  t.equal(signals.hasOpen, false)
})

t.test('it follows a session to its new id', async (t) => {
  const { endings, open } = create(t)
  const signal = open('a')
  endings.announce(endingOf('a', 'renewed', { successor: 'b' }))
  endings.announce(endingOf('a', 'destroyed'))
  t.equal(stateOf(signal), undefined)
  endings.announce(endingOf('b', 'over-limit'))
  t.equal(stateOf(signal), 'over-limit')
})

t.test('when all sessions of somebody end, each is looked at', async (t) => {
  const { endings, open, later, there, looks } = create(t)
  Object.assign(there, { gone: 'not-found', later: TIMES, spared: 'not-found', unsaved: 'revoked', bens: 'revoked' })
  const [gone, alive, spared] = [open('gone'), open('later'), open('spared')]
  const [unsaved, bens] = [open('unsaved', {}, false), open('bens', { ownerId: 'ben' })]
  endings.announce(endingOfAll('ana', ['spared']))
  await later(0)
  t.same([gone, alive, spared, unsaved, bens].map(stateOf), ['revoked', ...Array(4).fill(undefined)])
  t.same(looks, ['gone', 'later'])
  endings.announce(EVERYTHING)
  await later(0)
  t.same([alive, unsaved, bens].map(stateOf), [undefined, undefined, 'revoked'])
})

t.test('a session expires, unless somebody was active', async (t) => {
  const { signals, open, later, there, told } = create(t, { signalInterval: 10_000 })
  const [idle, active, elsewhere, down] = [open('a'), open('b'), open('c'), open('d')]
  signals.seen('b', { ...TIMES, lastSeenAt: NOW + 100 })
  signals.seen('b', { ...TIMES, lastSeenAt: NOW + 50 })
  signals.seen('nobody', TIMES)
  there.c = { lastSeenAt: NOW + 200, extensions: undefined }
  there.d = new Error('down')
  await later(IDLE)
  t.same([idle, active, elsewhere, down].map(stateOf), Array(4).fill(undefined), 'its last second')
  await later(1)
  t.same([idle, active, elsewhere, down].map(stateOf), ['expired', undefined, undefined, 'expired'])
  await later(100)
  t.equal(stateOf(active), 'expired')
  there.c = 'not-found'
  await later(100)
  t.equal(stateOf(elsewhere), 'expired')
  t.same(told.toSorted(), ['a expired', 'b expired', 'c expired', 'd expired'])
})

t.test('what one request knows of the activity of a session counts for all of them', async (t) => {
  const { open, later } = create(t, { signalInterval: 10_000 })
  // In cookies: another process may have noted activity, and a request with an older cookie may come late.
  const signals = [open('a'), open('a', { lastSeenAt: NOW + 100 }), open('a', { lastSeenAt: NOW + 50 })]
  await later(IDLE + 51)
  t.same(signals.map(stateOf), Array(3).fill(undefined))
  await later(50)
  t.same(signals.map(stateOf), Array(3).fill('expired'))
})

t.test('nobody is told of the end of a session that was never saved', async (t) => {
  const { open, later, told } = create(t)
  const signal = open('a', {}, false)
  await later(IDLE + 1)
  t.equal(stateOf(signal), 'expired')
  t.same(told, [])
})

t.test('a session can live for longer than a timer can take', async (t) => {
  const { open, later } = create(t, { signalInterval: 10_000_000 })
  const days = 24 * 3600
  const signal = open('a', { lastSeenAt: NOW + 60 * days })
  await later(59 * days)
  t.equal(stateOf(signal), undefined)
  await later(2 * days)
  t.equal(stateOf(signal), 'expired')
})

t.test('sessions are looked at every few seconds, while a signal is open', async (t) => {
  const { open, later, there, looks, told, successors, time } = create(t)
  Object.assign(there, { a: TIMES, b: new Error('down'), c: 'renamed', d: 'renamed', e: 'renamed', d2: 'not-found' })
  Object.assign(successors, { c: ['c1', 'c2'], d: ['d2'] })
  Object.assign(there, { c1: 'not-found', c2: TIMES })
  const [one, down, moved, replaced, lost] = ['a', 'b', 'c', 'd', 'e'].map((handle) => open(handle)) as [
    ReturnType<typeof open>,
    ReturnType<typeof open>,
    ReturnType<typeof open>,
    ReturnType<typeof open>,
    ReturnType<typeof open>
  ]
  await later(4)
  t.same(looks, [])
  await later(1)
  t.same(looks.splice(0).sort(), ['a', 'b', 'c', 'c1', 'c2', 'd', 'd2', 'e'])
  t.same([one, down, moved, replaced, lost].map(stateOf), [undefined, undefined, undefined, 'replaced', 'replaced'])
  Object.assign(there, { a: 'not-found', c2: 'not-found' })
  await later(5)
  t.same([one, moved].map(stateOf), ['gone', 'gone'])
  t.same(told, ['a gone', 'c2 gone'])
  down.close()
  await later(5)
  t.equal(time.pending, 0, 'nothing runs')
})

t.test('sessions are looked at seldom if others tell what they end, and when something was missed', async (t) => {
  let lose = (): void => {}
  const store: Partial<SessionStore> = {
    listen: (_onMessage, onLost) => {
      lose = onLost
      return () => {}
    }
  }
  const { endings, open, later, looks } = create(t, { store: store as SessionStore })
  await later(0)
  t.equal(endings.isHearing, true)
  const signal = open('a')
  await later(59)
  t.same(looks, [])
  await later(1)
  t.same(looks, ['a'])
  lose()
  await later(0)
  t.same(looks, ['a', 'a'], 'at once, when it listens again')
  signal.close()
  await endings.close()
})

t.test('a session that gets a new id while the old one is looked at goes on', async (t) => {
  const { endings, open, later, there, successors } = create(t)
  const signal = open('a')
  const rename = (from: string, to: string): void => endings.announce(endingOf(from, 'renewed', { successor: to }))
  // It is there no more, has had a successor that is there, and one that is not: each is known too late.
  there.a = 'not-found'
  endings.announce(endingOfAll('ana', []))
  rename('a', 'b')
  await later(0)
  Object.assign(there, { b: 'renamed', elsewhere: TIMES, dead: 'not-found' })
  for (const [from, to, successor] of [
    ['b', 'c', 'elsewhere'],
    ['c', 'd', 'dead']
  ] as const) {
    there[from] = 'renamed'
    Object.defineProperty(successors, from, {
      get() {
        rename(from, to)
        return [successor]
      }
    })
    endings.announce(endingOfAll('ana', []))
    await later(0)
  }
  t.equal(stateOf(signal), undefined)
  there.e = 'not-found'
  endings.announce(endingOfAll('ana', []))
  rename('d', 'e')
  await later(0)
  t.equal(stateOf(signal), 'revoked', 'it had the new one when all ended')
})

t.test('without an interval nothing is looked at', async (t) => {
  const time = new FakeTime(t)
  const endings = new Endings('session', undefined)
  const whereabouts = { lookUp: () => t.fail('nobody asks'), successorsOf: () => [] }
  const signals = new Signals(endings, whereabouts as never, {
    signalInterval: undefined,
    clock: () => NOW * 1000,
    expiresAt: () => NOW + IDLE
  })
  signals.open({ handle: 'a', ownerId: undefined, ...TIMES }, () => true)
  t.equal(time.pending, 1, 'its end')
  signals.close()
  t.equal(time.pending, 0)
})

t.test('a session that ends while it is looked at has ended for that reason', async (t) => {
  const { endings, open, later, there, told } = create(t)
  there.a = 'not-found'
  const signal = open('a')
  endings.announce(endingOfAll('ana', []))
  await turn()
  const other = open('a')
  let answer = (): void => {}
  Object.defineProperty(there, 'a', {
    get: () => new Promise((resolve) => (answer = () => resolve('not-found')))
  })
  endings.announce(endingOfAll('ana', []))
  await turn()
  endings.announce(endingOf('a', 'destroyed'))
  answer()
  await later(0)
  t.same([signal, other].map(stateOf), ['revoked', 'destroyed'])
  t.same(told, ['undefined revoked', 'undefined revoked', 'a destroyed'])
})

t.test('a session can be looked at once, because it may have ended since it was loaded', async (t) => {
  const { open, later, there, looks, told } = create(t)
  const [gone, alive, closed, unsaved] = [open('a'), open('b'), open('c'), open('d', {}, false)]
  Object.assign(there, { a: 'not-found', b: TIMES })
  closed.close()
  for (const followed of [gone, alive, closed, unsaved]) followed.verify()
  await later(0)
  t.same(looks, ['a', 'b'])
  t.same([gone, alive, closed, unsaved].map(stateOf), ['gone', undefined, undefined, undefined])
  t.same(told, ['a gone'])
})

t.test('what is opened after the end of the application follows nothing', async (t) => {
  const { signals, open, later, looks, time } = create(t)
  signals.close()
  const signal = open('a')
  signal.verify()
  await later(IDLE + 1)
  t.equal(stateOf(signal), undefined)
  t.same(looks, [])
  t.equal(time.pending, 0)
})

t.test('a session that gets other timeouts ends by them, whoever tells', async (t) => {
  const { signals, open, later, there } = create(t, { signalInterval: 5 })
  const [short, long, elsewhere] = [open('a', { extensions: ':I1000' }), open('b'), open('c')]
  signals.seen('a', { lastSeenAt: NOW, extensions: ':I100' })
  signals.seen('b', { lastSeenAt: NOW, extensions: ':I1000' })
  there.a = { lastSeenAt: NOW, extensions: ':I100' }
  there.b = { lastSeenAt: NOW, extensions: ':I1000' }
  there.c = { lastSeenAt: NOW, extensions: ':I50' }
  await later(50)
  t.same([short, long, elsewhere].map(stateOf), [undefined, undefined, undefined])
  await later(1)
  t.same([short, long, elsewhere].map(stateOf), [undefined, undefined, 'expired'])
  await later(50)
  t.same([short, long].map(stateOf), ['expired', undefined])
  await later(IDLE)
  t.equal(stateOf(long), undefined)
})
