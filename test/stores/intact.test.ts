import t from 'tap'
import { assertIntact, isIntact } from '../../lib/stores/intact.ts'
import type { StoredRecord } from '../../types/store.ts'

const RECORD: StoredRecord = {
  key: 'k'.repeat(43),
  json: '{}',
  createdAt: 1_763_640_000,
  lastSeenAt: 1_763_640_000,
  permanent: false,
  ownerId: undefined,
  description: undefined,
  extensions: undefined,
  expiresAt: 1_763_643_600,
  version: 0
}

t.test('a record is intact with and without an owner, a description and extensions', async (t) => {
  const texts = { ownerId: 'ada', description: 'hunter2', extensions: 'hunter2', json: 'hunter2' }
  for (const record of [RECORD, { ...RECORD, ...texts }]) {
    t.equal(isIntact(record), true)
    t.equal(assertIntact(record), record)
  }
})

t.test('a fact of another type is an error with a code, which does not quote it', async (t) => {
  for (const name of [
    'json',
    'createdAt',
    'lastSeenAt',
    'expiresAt',
    'version',
    'permanent',
    'ownerId',
    'description',
    'extensions'
  ]) {
    for (const value of [null, {}, ['hunter2'], Number.NaN, Number.POSITIVE_INFINITY, 0.5, Symbol('hunter2')]) {
      const record = { ...RECORD, [name]: value } as unknown as StoredRecord
      t.equal(isIntact(record), false, `${name}: ${String(value)}`)
      const error = t.throws(() => assertIntact(record), { code: 'ERR_SESSION_UNREADABLE' }) as Error
      t.notMatch(error.message + String(error.cause), 'hunter2')
    }
  }
})
