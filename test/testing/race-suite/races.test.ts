import t from 'tap'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import { racesOf } from '../../../lib/testing/race-suite/races.ts'
import { collect } from '../collect.ts'

t.test('each test runs with a site of its own', async (t) => {
  const users: string[] = []
  const tests = collect((test) => {
    const races = racesOf({ test, open: (clock, other) => other ?? new MemoryStore({ clock }) })
    races.test('first', async ({ user }) => void users.push(user))
    races.testUnless(['owners'], 'second', async ({ user }) => void users.push(user))
  })
  t.same([...tests.keys()], ['first', 'second'])
  t.same(users, [], 'nothing runs before the runner says so')
  for (const run of tests.values()) await run()
  t.equal(new Set(users).size, 2)
})

t.test('a test is skipped if the store has one of its weaknesses, and gets the options otherwise', async (t) => {
  const ran: string[] = []
  const tests = collect((test) => {
    const open = (clock: () => number) => new MemoryStore({ clock })
    const { testUnless } = racesOf({ test, open, without: ['owners'] })
    testUnless(['atomicity', 'owners'], 'first', async () => void ran.push('first'))
    const second = async ({ browser }: { readonly browser: { send(action: 'login'): Promise<unknown> } }) => {
      t.match(await browser.send('login'), { statusCode: 200 })
      ran.push('second')
    }
    testUnless(['atomicity'], 'second', second, { maxPerOwner: 1 })
  })
  t.same([...tests.keys()], ['skipped (owners): first', 'second'])
  for (const run of tests.values()) await run()
  t.same(ran, ['second'])
})
