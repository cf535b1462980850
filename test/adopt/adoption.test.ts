import t from 'tap'
import { ADOPT_OPTIONS, readAdoption } from '../../lib/adopt/adoption.ts'

const FACTS = { key: 'k', isUnique: true, createdAt: 5 }

t.test('without options the data stay as they are, and nothing is removed', async (t) => {
  const { found, ...common } = readAdoption({}, 'old')
  t.same(common, { cookieName: 'old', remove: false, cookie: {} })
  t.same(found({ a: 1 }, FACTS), { ...FACTS, data: { a: 1 }, ownerId: undefined })
})

t.test('map and ownerOf get the data of the other library', async (t) => {
  const cookie = { domain: 'example.com' }
  const options = {
    map: ({ a }: { a: number }) => ({ b: a }),
    ownerOf: ({ a }: { a: number }) => String(a),
    remove: true,
    cookie
  }
  const { found, ...common } = readAdoption(options, 'old')
  t.same(common, { cookieName: 'old', remove: true, cookie })
  t.same(found({ a: 1 }, FACTS), { ...FACTS, data: { b: 1 }, ownerId: '1' })
})

t.test('a session for which map returns nothing is refused', async (t) => {
  t.equal(readAdoption({ map: () => undefined }, 'old').found({}, FACTS), 'refused')
})

t.test('what they throw is the cause of an error', async (t) => {
  const cause = new Error('data of somebody')
  const { found } = readAdoption(
    {
      map: () => {
        throw cause
      }
    },
    'old'
  )
  t.throws(() => found({}, FACTS), { code: 'ERR_SESSION_VALUE', cause })
})

t.test('what map returns must be an object, at once', async (t) => {
  const wrong = [null, 'text', 7, [1], () => {}, Promise.resolve({}), Promise.reject(new Error('later'))]
  for (const value of wrong) {
    const { found } = readAdoption({ map: (() => value) as never }, 'old')
    t.throws(() => found({}, FACTS), { code: 'ERR_SESSION_VALUE' })
  }
  const { found } = readAdoption({ ownerOf: (async () => Promise.reject(new Error('later'))) as never }, 'old')
  t.throws(() => found({}, FACTS), { code: 'ERR_SESSION_VALUE' })
  // A rejection that nobody handles would end the process by now.
  await new Promise((resolve) => setImmediate(resolve))
})

t.test('wrong options are refused', async (t) => {
  t.same(ADOPT_OPTIONS, ['map', 'ownerOf', 'remove', 'cookie'])
  for (const options of [{ map: 1 }, { ownerOf: 'id' }, { remove: 'yes' }, { cookie: '/' }]) {
    t.throws(() => readAdoption(options as never, 'old'), { code: 'ERR_SESSION_OPTION_INVALID' })
  }
  t.throws(() => readAdoption({}, 'o l d'), { code: 'ERR_SESSION_OPTION_INVALID' })
})
