import t from 'tap'
import { newId } from '../../../histories/checks/new-id.ts'
import type { Outcome } from '../../../histories/history.ts'
import { begin, change, entry, FAILED, GONE, got, list, listed, read, saw, textsOf } from '../../helpers/histories.ts'

const BEGUN = entry(0, 10, begin(), got('k1'))
const RENEWED = entry(20, 30, change(), got('k2'))

t.test('an id that is replaced once, and opens nothing after that, is no violation', async (t) => {
  const entries = [
    BEGUN,
    entry(15, 25, read(), saw({})),
    entry(20, 30, change(), GONE),
    RENEWED,
    entry(31, 40, read(), GONE),
    entry(31, 40, read('k2'), saw({})),
    entry(10_001, 10_010, list(), listed('k2')),
    entry(10_001, 10_010, list(), FAILED)
  ]
  t.same(textsOf(newId, entries), [])
})

t.test('an old id that still opens is a violation', async (t) => {
  t.same(textsOf(newId, [BEGUN, RENEWED, entry(31, 40, read(), saw({}))]), ['the old id still opens'])
})

t.test('one id that is replaced twice is a violation', async (t) => {
  t.same(textsOf(newId, [BEGUN, RENEWED, entry(20, 30, change(), got('k3'))]), ['one id was replaced twice'])
})

t.test('a failure with a new cookie is a violation', async (t) => {
  const contradicts: Outcome = { kind: 'unknown', hasAnswer: true, setsCookie: true }
  t.same(textsOf(newId, [entry(0, 10, begin(), contradicts), entry(0, 10, change(), contradicts)]), [
    'a failure brings a new cookie',
    'a failure brings a new cookie'
  ])
})

t.test('a listed session that no browser has is a violation when it had time to be undone', async (t) => {
  const failed = entry(0, 10, begin('s2'), FAILED)
  t.same(textsOf(newId, [BEGUN, failed, entry(20, 30, list(), listed('k1', 'k9'))]), [])
  t.same(textsOf(newId, [BEGUN, failed, entry(10_001, 10_010, list(), listed('k1', 'k9'))]), [
    '1 sessions are listed that no browser has'
  ])
})

t.test('a killed process cannot undo what it has left: as many may stay', async (t) => {
  const killed = { process: 'a', from: 500, to: Number.POSITIVE_INFINITY }
  const other = { process: 'b', from: 500, to: Number.POSITIVE_INFINITY }
  const entries = [
    entry(0, 10, begin('s2'), FAILED),
    entry(0, 10, change(), FAILED),
    entry(0, 10, read(), FAILED),
    entry(10_001, 10_010, list(), listed('k8', 'k9'))
  ]
  t.same(textsOf(newId, entries, [killed]), [])
  t.same(textsOf(newId, entries, [other]).length, 1)
  t.same(textsOf(newId, entries, [{ ...killed, to: 600 }]).length, 1)
})
