import t from 'tap'
import { codeOf, isTransient } from '../../../lib/stores/postgres/transient.ts'

t.test('what others or the time have caused may be over when it is sent again', async (t) => {
  for (const code of ['40001', '40P01']) t.ok(isTransient({ code }), code)
  t.ok(isTransient(new Error('invalid input syntax for type boolean: "written too late: 2026"')))
  for (const error of [{ code: '23505' }, new Error('late'), undefined, null, 'no']) t.notOk(isTransient(error))
})

t.test('what is no error of PostgreSQL has no code', async (t) => {
  t.equal(codeOf({ code: '42P01' }), '42P01')
  t.same([codeOf(undefined), codeOf(new Error('no'))], [undefined, undefined])
})
