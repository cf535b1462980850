import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { RandomPool } from '../../lib/crypto/random.ts'
import { Challenges } from '../../lib/device-bound/challenges.ts'
import { ChallengeFormat } from '../../lib/format/challenge.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { SECRET, START } from '../helpers/app.ts'

const KEYS = deriveKeys([Buffer.from(SECRET)], 'device-challenge')
const AT = START.getTime() / 1000

function create(hasStore = false): { challenges: Challenges; clock: FakeClock } {
  const clock = new FakeClock(START)
  const store = hasStore ? new MemoryStore({ clock: clock.now, pruneInterval: 0 }) : undefined
  const format = new ChallengeFormat(KEYS, 'session-device', new RandomPool())
  return { challenges: new Challenges(format, store, () => Math.floor(clock.now() / 1000)), clock }
}

t.test('a challenge is good for five minutes', async (t) => {
  const { challenges, clock } = create()
  const challenge = challenges.issue('refresh', 'id')
  t.equal(challenges.judge(challenge, 'refresh', 'id'), AT)
  clock.advance(300)
  t.equal(challenges.judge(challenge, 'refresh', 'id'), AT)
  clock.advance(1)
  t.equal(challenges.judge(challenge, 'refresh', 'id'), 'expired-challenge')
  t.equal(challenges.judge(challenge, 'register', 'id'), 'bad-challenge')
  t.equal(challenges.judge(challenges.issue('register', 'id', AT), 'register', 'id'), 'expired-challenge')
})

t.test('one of a server whose clock is a minute ahead is good, one of the future is not', async (t) => {
  const { challenges } = create()
  t.equal(challenges.judge(challenges.issue('refresh', 'id', AT + 60), 'refresh', 'id'), AT + 60)
  t.equal(challenges.judge(challenges.issue('refresh', 'id', AT + 61), 'refresh', 'id'), 'expired-challenge')
})

t.test('with a store, a challenge is answered once', async (t) => {
  const { challenges } = create(true)
  const challenge = challenges.issue('refresh', 'id')
  t.equal(await challenges.use(challenge), undefined)
  t.equal(await challenges.use(challenge), 'used-challenge')
  t.equal(await challenges.use(challenges.issue('refresh', 'id')), undefined)
})

t.test('without one, nobody can tell', async (t) => {
  const { challenges } = create()
  const challenge = challenges.issue('refresh', 'id')
  t.equal(await challenges.use(challenge), undefined)
  t.equal(await challenges.use(challenge), undefined)
})
