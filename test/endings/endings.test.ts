import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Endings, EVERYTHING, endingOf, endingOfAll, TELL_NOBODY } from '../../lib/endings/endings.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import type { SessionEndedEvent } from '../../types/endings.ts'
import type { SessionStore } from '../../types/store.ts'

function create(store?: SessionStore) {
  const logged: string[] = []
  const log = (details: object, message: string): void => {
    logged.push(`${(details as { err: Error }).err.message}: ${message}`)
  }
  const endings = new Endings('session', store, { warn: log, error: log })
  const events: SessionEndedEvent[] = []
  return { endings, events, logged }
}

t.test('an ending says what has ended', async (t) => {
  const nothing = { ownerId: undefined, except: [], successor: undefined }
  t.same(endingOf('h', 'gone'), { ...nothing, handle: 'h', reason: 'gone' })
  t.same(endingOf('h', 'renewed', { ownerId: 'ana', successor: 'i' }), {
    handle: 'h',
    reason: 'renewed',
    ownerId: 'ana',
    except: [],
    successor: 'i'
  })
  t.same(endingOfAll('ana', ['h']), { ...EVERYTHING, ownerId: 'ana', except: ['h'] })
  t.equal(TELL_NOBODY(EVERYTHING), undefined)
})

t.test('listeners and the channel get every ending until they stop', async (t) => {
  const { endings, events } = create()
  endings.announce(endingOf('a', 'destroyed'))
  const onMessage = (message: unknown): void => void events.push(message as SessionEndedEvent)
  subscribe('fastify-typed-session/endings', onMessage)
  t.teardown(() => unsubscribe('fastify-typed-session/endings', onMessage))
  const stop = endings.listen((event) => events.push(event))
  endings.announce(endingOf('b', 'destroyed'))
  stop()
  endings.note(endingOf('c', 'expired'))
  t.same(
    events.map(({ handle }) => handle),
    ['b', 'b', 'c']
  )
  t.same(events[0], { cookieName: 'session', ...endingOf('b', 'destroyed') })
  t.equal(endings.isHearing, false)
  await endings.close()
})

t.test('a listener may listen twice, and stops once', (t) => {
  const { endings, events } = create()
  const listener = (event: SessionEndedEvent): unknown => events.push(event)
  const stops = [endings.listen(listener), endings.listen(listener)]
  for (const stop of stops) {
    stop()
    endings.note(endingOf('a', 'destroyed'))
  }
  t.equal(events.length, 1)
  t.end()
})

t.test('a listener that fails is logged, and nobody else suffers', async (t) => {
  const store: Partial<SessionStore> = { listen: () => Promise.reject(new Error('nobody reads it')) }
  const { endings, events, logged } = create()
  endings.listen(() => {
    throw new Error('at once')
  })
  endings.listen(() => Promise.reject(new Error('later')))
  endings.listen((event) => events.push(event))
  endings.announce(endingOf('a', 'destroyed'))
  const silent = new Endings('session', store as SessionStore)
  silent.listen(() => {
    throw new Error('nobody reads it')
  })
  silent.announce(EVERYTHING)
  await turn()
  t.equal(events.length, 1)
  t.same(logged, [
    'at once: A listener of app.sessions.onEnded() failed.',
    'later: A listener of app.sessions.onEnded() failed.'
  ])
})

t.test('processes that share a store hear of what is announced, and not of what is noted', async (t) => {
  const store = new MemoryStore({ pruneInterval: 0 })
  const [here, there] = [create(store), create(store)]
  let missed = 0
  there.endings.listen(
    (event) => there.events.push(event),
    () => missed++
  )
  await turn()
  t.equal(there.endings.isHearing, true)
  t.equal(missed, 1, 'what was before')
  here.endings.note(endingOf('a', 'expired'))
  here.endings.announce(endingOf('b', 'destroyed'))
  await turn()
  t.same(there.events, [{ cookieName: 'session', ...endingOf('b', 'destroyed') }])
  await there.endings.close()
})

t.test('listeners hear of what a store has removed because it has expired', async (t) => {
  let expire = (_key: string, _ownerId: string | undefined): void => {}
  const store: Partial<SessionStore> = {
    listen: (_onMessage, _onLost, onExpired = t.fail as never) => {
      expire = onExpired
      return () => {}
    }
  }
  const { endings, events } = create(store as SessionStore)
  endings.listen((event) => events.push(event))
  await turn()
  expire('h', 'ana')
  t.same(events, [{ cookieName: 'session', ...endingOf('h', 'expired', { ownerId: 'ana' }) }])
  await endings.close()
})

t.test('a store that does not tell is reported once', async (t) => {
  const store: Partial<SessionStore> = { listen: () => Promise.reject(new Error('not here')) }
  const { endings, logged } = create(store as SessionStore)
  endings.listen(() => {})
  endings.listen(() => {})
  await turn()
  t.match(logged, [/^not here: The store does not tell what ends in other processes/])
  t.equal(logged.length, 1)
  await endings.close()
})
