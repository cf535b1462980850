import t from 'tap'
import { toFlaskKey, toOurKey } from '../../lib/flask/member-names.ts'
import { isReserved, RequestSession } from '../../lib/request/session.ts'

function namesOf(object: object | null): string[] {
  return object === null ? [] : [...Object.getOwnPropertyNames(object), ...namesOf(Object.getPrototypeOf(object))]
}

t.test('each name of a member of a session gets a mark, and is free then', (t) => {
  const names = new Set(namesOf(RequestSession.prototype))
  t.ok(names.has('setOwner') && names.has('__proto__'))
  for (const name of names) {
    t.ok(isReserved(name))
    t.equal(toOurKey(name), `${name}_`)
    t.equal(isReserved(toOurKey(name)), false, name)
  }
  t.end()
})

t.test('a long key takes no long time', (t) => {
  const begin = performance.now()
  for (let round = 0; round < 10; round++) {
    for (const key of ['_'.repeat(60_000), `id${'_'.repeat(60_000)}`]) t.equal(toFlaskKey(toOurKey(key)), key)
  }
  t.ok(performance.now() - begin < 1000)
  t.end()
})

t.test('keys stay apart, and come back', (t) => {
  const keys = [
    '',
    '_',
    'a',
    'a_',
    'id',
    'id_',
    'id__',
    '_id',
    '__proto__',
    '__proto___',
    '__proto____',
    '__proto_',
    '__proto',
    'toString',
    'constructor_',
    'Id'
  ]
  t.equal(new Set(keys.map(toOurKey)).size, keys.length)
  for (const key of keys) t.equal(toFlaskKey(toOurKey(key)), key)
  for (const key of ['a', 'a_', '_', '', '_user_id', '_fts']) t.equal(toOurKey(key), key)
  t.equal(toFlaskKey('id'), 'id')
  t.end()
})
