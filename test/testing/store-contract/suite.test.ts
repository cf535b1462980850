import t from 'tap'
import { register } from '../../../lib/testing/store-contract/suite.ts'
import { collect } from '../collect.ts'

const run = async (): Promise<void> => {
  throw new Error('ran')
}

t.test('a test is registered as it is if the store can do what it needs', async (t) => {
  const tests = collect((test) => {
    register({ test }, [], 'first', run)
    register({ test }, ['atomicity'], 'second', run)
    register({ test, without: ['owners'] }, ['atomicity'], 'third', run)
  })
  t.same([...tests.keys()], ['first', 'second', 'third'])
  for (const registered of tests.values()) t.equal(registered, run)
})

t.test('a test of a weakness is registered empty, and its name says so', async (t) => {
  const tests = collect((test) => {
    register({ test, without: ['owners'] }, ['atomicity', 'owners'], 'first', run)
    register({ test, without: ['owners', 'atomicity'] }, ['atomicity', 'owners'], 'second', run)
  })
  t.same([...tests.keys()], ['skipped (owners): first', 'skipped (atomicity): second'])
  for (const skipped of tests.values()) await t.resolves(skipped())
})
