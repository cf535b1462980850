import t from 'tap'
import { endings } from '../../../histories/checks/endings.ts'
import type { Operation } from '../../../histories/history.ts'
import {
  begin,
  change,
  entry,
  FAILED,
  GONE,
  got,
  list,
  listed,
  OK,
  read,
  saw,
  textsOf
} from '../../helpers/histories.ts'

const BEGUN = entry(0, 10, begin(), got('k1'))

function end(kind: 'logout' | 'revoke', key = 'k1'): Operation {
  return { kind, session: 's', key }
}

function revokeAll(except?: string, owner = 'ada'): Operation {
  return { kind: 'revokeAll', owner, except }
}

t.test('what came before an end, or finds nothing after it, is no violation', async (t) => {
  const entries = [
    BEGUN,
    entry(15, 40, read(), saw({})),
    entry(20, 30, end('logout')),
    entry(25, 40, list(), listed('k1')),
    entry(31, 40, read(), GONE),
    entry(31, 40, end('logout')),
    entry(31, 40, list(), FAILED),
    entry(31, 40, list(), listed('k7'))
  ]
  t.same(textsOf(endings, entries), [])
})

t.test('an end that was not acknowledged promises nothing', async (t) => {
  t.same(textsOf(endings, [BEGUN, entry(20, 30, end('logout'), FAILED), entry(31, 40, read(), saw({}))]), [])
})

t.test('a session that opens, or is listed, after its end is a violation', async (t) => {
  const after = [entry(31, 40, read(), saw({})), entry(31, 40, list(), listed('k1'))]
  t.same(textsOf(endings, [BEGUN, entry(20, 30, end('logout')), ...after]), [
    'read opened the session after logout',
    'the session is listed after logout'
  ])
  t.same(textsOf(endings, [BEGUN, entry(20, 30, end('revoke')), ...after]).length, 2)
})

t.test('an end with an old id ends the login under its new one', async (t) => {
  const renewed = entry(20, 50, change(), got('k2'))
  const entries = [BEGUN, renewed, entry(25, 30, end('logout')), entry(60, 70, read('k2'), saw({}))]
  t.same(textsOf(endings, entries), ['read opened the session after logout'])
})

t.test('an end with the id of a stranger does not end the login that has replaced it', async (t) => {
  const stranger = entry(0, 10, { kind: 'begin', session: 's', owner: undefined }, got('k1'))
  const login = entry(20, 30, change('k1', { how: 'login' }), got('k2'))
  const failed = entry(20, 30, change('k1', { how: 'login' }), FAILED)
  const entries = [stranger, failed, login, entry(31, 40, end('logout')), entry(41, 50, read('k2'), saw({}))]
  t.same(textsOf(endings, entries), [])
})

t.test('revokeAll() ends every session that was there, and not the one that it spares', async (t) => {
  const second = entry(0, 10, begin('s2'), got('k3'))
  const late = entry(15, 40, begin('s3'), got('k4'))
  const notBegun = entry(0, 10, begin('s4'), FAILED)
  const reads = ['k1', 'k3', 'k4'].map((key) => entry(50, 60, read(key), saw({})))
  const all = entry(20, 30, revokeAll(), OK)
  t.same(textsOf(endings, [BEGUN, second, late, notBegun, all, ...reads]).length, 2)
  t.same(textsOf(endings, [BEGUN, second, late, entry(20, 30, revokeAll('k3'), OK), ...reads]).length, 1)
  t.same(textsOf(endings, [BEGUN, entry(20, 30, revokeAll(undefined, 'bob'), OK), ...reads]), [])
})
