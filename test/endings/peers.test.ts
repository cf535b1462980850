import { setImmediate as turn } from 'node:timers/promises'
import type { Test } from 'tap'
import t from 'tap'
import { endingOf } from '../../lib/endings/endings.ts'
import { Peers } from '../../lib/endings/peers.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import type { SessionEnding } from '../../types/endings.ts'
import type { SessionStore } from '../../types/store.ts'
import { FakeTime } from '../helpers/fake-time.ts'

const ENDING = endingOf('h', 'destroyed', { ownerId: 'ana' })

function create(store: Pick<SessionStore, 'publish' | 'listen'>) {
  const told: (SessionEnding | string)[] = []
  const peers = new Peers(store, {
    onEnding: (ending) => told.push(ending),
    onExpired: (key, ownerId) => told.push(`expired: ${key} ${ownerId}`),
    onMissed: () => told.push('missed'),
    onDeaf: (error) => told.push(`deaf: ${(error as Error).message}`)
  })
  return { peers, told }
}

t.test('processes that share a store hear of each other, and not of themselves', async (t) => {
  const store = new MemoryStore({ pruneInterval: 0 })
  const [one, other] = [create(store), create(store)]
  one.peers.publish(ENDING)
  t.same(other.told, [], 'nobody listens yet')
  t.equal(one.peers.isHearing, false)
  for (const { peers } of [one, other]) peers.start()
  await turn()
  t.equal(one.peers.isHearing, true)
  one.peers.publish(ENDING)
  await turn()
  t.same(one.told, ['missed'])
  t.same(other.told, ['missed', ENDING])
  for (const { peers } of [one, other]) await peers.close()
  one.peers.publish(ENDING)
  await turn()
  t.equal(other.told.length, 2)
})

t.test('a store that removes what has expired tells who listens', async (t) => {
  let now = 1_763_640_000
  const store = new MemoryStore({ pruneInterval: 0, clock: () => now * 1000 })
  const { peers, told } = create(store)
  peers.start()
  await turn()
  const times = { createdAt: now, lastSeenAt: now, permanent: false, description: undefined, extensions: undefined }
  store.create('h', { json: '{}', ownerId: 'ana', ...times }, now + 10)
  now += 11
  store.prune()
  t.same(told, ['missed', 'expired: h ana'])
  await peers.close()
})

t.test('what somebody else has written is left alone', async (t) => {
  const store = new MemoryStore({ pruneInterval: 0 })
  const { peers, told } = create(store)
  peers.start()
  await turn()
  for (const message of ['', '{', 'null', '7', '{}', '{"except":1}', '{"except":[]}']) store.publish(message)
  for (const part of [{ handle: 7 }, { ownerId: null }, { reason: {} }, { successor: [] }]) {
    store.publish(JSON.stringify({ ...ENDING, ...part }))
  }
  t.same(told, ['missed'])
  await peers.close()
})

t.test('a store that tells nothing, or fails, harms nobody', async (t) => {
  const silent = create({})
  silent.peers.publish(ENDING)
  silent.peers.start()
  t.equal(silent.peers.isHearing, false)
  await silent.peers.close()
  const failing = create({
    publish: () => {
      throw new Error('down')
    }
  })
  failing.peers.publish(ENDING)
  await failing.peers.close()
  t.same([...silent.told, ...failing.told], [])
})

t.test('it listens again when a connection is lost, and tries every second', async (t) => {
  const time = new FakeTime(t)
  let tries = 0
  let isUp = false
  let lose = (): void => {}
  const { peers, told } = create({
    listen: async (_onMessage, onLost) => {
      tries++
      lose = onLost
      if (!isUp) throw new Error('down')
      return () => {}
    }
  })
  const later = async (milliseconds: number): Promise<void> => {
    time.advance(milliseconds)
    await turn()
  }
  peers.start()
  await turn()
  await later(1000)
  t.equal(tries, 2)
  t.same(told, ['deaf: down'])
  isUp = true
  await later(1000)
  t.equal(peers.isHearing, true)
  lose()
  await turn()
  t.same(told, ['deaf: down', 'missed', 'missed'])
  t.equal(tries, 4, 'at once')
  await peers.close()
  await later(5000)
  t.equal(tries, 4)
})

/** A store whose connection can die without a word, and which counts who listens. */
function createDying(t: Test) {
  const time = new FakeTime(t)
  const channel = new MemoryStore({ pruneInterval: 0 })
  const counts = { listens: 0, stops: 0, published: 0 }
  const state = { isDead: false, isDown: false }
  const made = create({
    publish: async (message) => {
      counts.published++
      if (state.isDown) throw new Error('down')
      channel.publish(message)
    },
    listen: async (onMessage) => {
      counts.listens++
      state.isDead = false
      const stop = channel.listen((message) => {
        if (!state.isDead) onMessage(message)
      })
      return () => {
        counts.stops++
        stop()
      }
    }
  })
  const later = async (milliseconds: number): Promise<void> => {
    time.advance(milliseconds)
    for (let turns = 0; turns < 3; turns++) await turn()
  }
  return { ...made, time, counts, state, channel, later }
}

t.test('a connection that has died without a word is noticed, and made again', async (t) => {
  const { peers, told, time, counts, state, later } = createDying(t)
  peers.start()
  await turn()
  for (let tick = 0; tick < 6; tick++) await later(10_000)
  t.match(counts, { listens: 1, stops: 0, published: 3 }, 'it hears itself, and asks again only after that')
  state.isDead = true
  await later(10_000)
  await later(10_000)
  await later(10_000)
  t.match(counts, { listens: 2, stops: 1 })
  t.same(told, ['missed', 'missed'], 'something may have been missed, and nothing was')
  t.equal(peers.isHearing, true)
  await peers.close()
  t.equal(time.pending, 0)
})

t.test('who hears others does not ask, and a store that is down is not taken for a dead connection', async (t) => {
  const { peers, counts, state, channel, later } = createDying(t)
  peers.start()
  await turn()
  for (let tick = 0; tick < 5; tick++) {
    channel.publish('of somebody else')
    await later(10_000)
  }
  t.equal(counts.published, 0)
  state.isDown = true
  for (let tick = 0; tick < 5; tick++) await later(10_000)
  t.match(counts, { listens: 1, published: 5 })
  await peers.close()
})

t.test('who closes waits for its last message, but not for ever', async (t) => {
  const sent: string[] = []
  const { peers } = create({
    publish: async (message) => {
      await turn()
      sent.push(message)
    }
  })
  peers.publish(ENDING)
  await peers.close()
  t.equal(sent.length, 1)
  const stuck = create({ publish: () => new Promise(() => {}) })
  stuck.peers.publish(ENDING)
  // Nothing else holds the process.
  const alive = setInterval(() => {}, 100)
  await stuck.peers.close()
  clearInterval(alive)
})
