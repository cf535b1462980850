import t from 'tap'
import { kept } from '../../../histories/checks/kept.ts'
import type { Entry } from '../../../histories/history.ts'
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

const BEGUN = entry(0, 10, begin(), got('k1'))
const LOST = entry(100, 110, read(), GONE)

t.test('a session that is there is no violation, nor is one that nobody has got', async (t) => {
  const entries = [
    BEGUN,
    entry(20, 30, read(), saw({})),
    entry(20, 30, read('k9'), GONE),
    entry(20, 30, list(), listed()),
    entry(10_001, 10_010, list(), listed('k1')),
    entry(10_001, 10_010, list('bob'), listed()),
    entry(10_001, 10_010, list(), FAILED)
  ]
  t.same(textsOf(kept, entries), [])
})

t.test('a session that has gone by itself is a violation', async (t) => {
  t.same(textsOf(kept, [BEGUN, LOST]), ['the session is gone, and nothing has ended it'])
  t.same(textsOf(kept, [BEGUN, entry(10_001, 10_010, list(), listed())]), [
    'the session is not listed, and nothing has ended it'
  ])
})

t.test('each end explains it, and so does one of which nobody knows', async (t) => {
  const ends: readonly Entry[] = [
    entry(20, 30, { kind: 'logout', session: 's', key: 'k1' }),
    entry(20, 30, { kind: 'revoke', session: 's', key: 'k1' }, FAILED),
    entry(20, 30, { kind: 'revokeAll', owner: 'ada', except: undefined }),
    entry(20, 30, change(), got('k2')),
    entry(105, 120, change(), FAILED),
    entry(20, 30, begin('s2'), got('k3')),
    entry(20, 30, change('k8', { session: 's2', how: 'login' }), got('k9')),
    entry(20, 30, change('k8', { session: 's2', how: 'login' }), GONE)
  ]
  for (const end of ends) t.same(textsOf(kept, [BEGUN, end, LOST]), [], JSON.stringify(end.operation))
})

t.test('what was over before, came after, was refused or is about another session explains nothing', async (t) => {
  const others: readonly Entry[] = [
    entry(111, 120, { kind: 'logout', session: 's', key: 'k1' }),
    entry(20, 30, { kind: 'logout', session: 's2', key: 'k8' }),
    entry(20, 30, { kind: 'revokeAll', owner: 'bob', except: undefined }),
    entry(20, 30, change('k1'), REFUSED),
    entry(20, 30, change('k8', { session: 's2' }), got('k9')),
    entry(-20, -10, begin('s2'), got('k3'))
  ]
  for (const other of others) t.same(textsOf(kept, [BEGUN, other, LOST]).length, 1, JSON.stringify(other.operation))
})

t.test('a session of a stranger is no session of an owner', async (t) => {
  const stranger = entry(0, 10, { kind: 'begin', session: 's', owner: undefined }, got('k1'))
  const other = entry(20, 30, begin('s2'), got('k3'))
  t.same(textsOf(kept, [stranger, other, LOST]).length, 1)
  const login = entry(15, 30, change('k1', { how: 'login' }), REFUSED)
  t.same(textsOf(kept, [stranger, login, other, LOST]), [], 'unless the stranger was about to log in')
})
