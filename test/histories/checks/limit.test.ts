import t from 'tap'
import { limit } from '../../../histories/checks/limit.ts'
import {
  begin,
  change,
  entry,
  FAILED,
  GONE,
  got,
  list,
  listed,
  REFUSED,
  read,
  saw,
  textsOf
} from '../../helpers/histories.ts'

t.test('as many sessions as the limit allows are no violation, nor is a list that failed', async (t) => {
  t.same(textsOf(limit, [entry(0, 10, list(), listed('k1', 'k2')), entry(0, 10, list(), FAILED)]), [])
})

t.test('one more is a violation', async (t) => {
  t.same(textsOf(limit, [entry(0, 10, list(), listed('k1', 'k2', 'k3'))]), [
    '3 live sessions of one owner, 2 allowed, 0 under way'
  ])
})

t.test('sessions that begin or get a new id while the list is read come on top', async (t) => {
  const three = listed('k1', 'k2', 'k3')
  const seen = entry(50, 60, list(), three)
  t.same(textsOf(limit, [seen, entry(40, 55, begin(), got('k3'))]), [])
  t.same(textsOf(limit, [seen, entry(55, 70, change(), GONE)]), [])
  t.same(textsOf(limit, [seen, entry(40, 55, begin(), REFUSED)]).length, 1)
  t.same(textsOf(limit, [seen, entry(40, 49, begin(), got('k3'))]).length, 1)
  t.same(textsOf(limit, [seen, entry(61, 70, begin(), got('k3'))]).length, 1)
  t.same(textsOf(limit, [seen, entry(40, 55, begin('s', 'bob'), got('k3'))]).length, 1)
})

t.test(
  'a failed change of id may be there twice until it is undone, a failed login only until its time is over',
  async (t) => {
    const three = listed('k1', 'k2', 'k3')
    t.same(textsOf(limit, [entry(0, 10, change(), FAILED), entry(5000, 5010, list(), three)]), [])
    t.same(textsOf(limit, [entry(0, 10, change(), FAILED), entry(10_001, 10_010, list(), three)]).length, 1)
    t.same(textsOf(limit, [entry(0, 10, begin(), FAILED), entry(25, 40, list(), three)]), [])
    t.same(textsOf(limit, [entry(0, 10, begin(), FAILED), entry(31, 40, list(), three)]).length, 1)
  }
)

t.test('what a killed process has left half done stays', async (t) => {
  const killed = { process: 'a', from: 500, to: Number.POSITIVE_INFINITY }
  const entries = [entry(0, 10, change(), FAILED), entry(10_001, 10_010, list(), listed('k1', 'k2', 'k3'))]
  t.same(textsOf(limit, entries, [killed]), [])
})

t.test('sessions that open in the end count, listed or not', async (t) => {
  const begun = ['k1', 'k2', 'k3'].map((key) => entry(0, 10, begin(key), got(key)))
  const reads = ['k1', 'k2', 'k3'].map((key) => entry(10_001, 10_010, read(key, key), saw({})))
  t.same(textsOf(limit, [...begun, ...reads.slice(1), entry(20, 30, read('k1', 'k1'), saw({}))]), [])
  t.same(textsOf(limit, [...begun, ...reads]), ['3 live sessions of one owner, 2 allowed, 0 under way'])
})
