import t from 'tap'
import { InvalidOptionError, unreadableError } from '../../../lib/errors.ts'
import { explain, isBusy, isFull } from '../../../lib/stores/sqlite/errors.ts'

function failure(properties: object, message = 'database is locked'): Error {
  return Object.assign(new Error(message), properties)
}

t.test('both libraries tell a lock', async (t) => {
  for (const properties of [
    { code: 'SQLITE_BUSY' },
    { code: 'SQLITE_BUSY_RECOVERY' },
    { errcode: 5 },
    { errcode: 261 }
  ]) {
    t.equal(isBusy(failure(properties)), true)
  }
  for (const properties of [{}, { code: 'SQLITE_FULL' }, { errcode: 13 }]) t.equal(isBusy(failure(properties)), false)
})

t.test('both libraries tell a full disk', async (t) => {
  const codes = ['SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_IOERR_SHMSIZE'].map((code) => ({ code }))
  for (const properties of [...codes, { errcode: 13 }, { errcode: 778 }, { errcode: 4874 }]) {
    t.equal(isFull(failure(properties)), true)
  }
  for (const properties of [{}, { code: 'SQLITE_BUSY' }, { errcode: 10 }]) t.equal(isFull(failure(properties)), false)
})

t.test('an error says what failed, and why', async (t) => {
  const busy = failure({ code: 'SQLITE_BUSY' })
  t.match(explain('write a session', busy), {
    message:
      'The SqliteStore could not write a session: another connection was writing for too long (database is locked).',
    code: 'SQLITE_BUSY',
    cause: busy
  })
  t.match(explain('begin', new Error('no time left.')), { message: 'The SqliteStore could not begin: no time left.' })
})

t.test('errors of this package stay as they are', async (t) => {
  for (const error of [new InvalidOptionError('x'), unreadableError()]) t.equal(explain('begin', error), error)
})
