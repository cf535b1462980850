import t from 'tap'
import { isSessionError } from '../../../lib/errors.ts'
import { explain, UnreadableError } from '../../../lib/stores/file/errors.ts'

function systemError(code: string): NodeJS.ErrnoException {
  const error = new Error(`${code}: no, open '/sessions/ab/abcdef'`)
  return Object.assign(error, { code, syscall: 'open', path: '/sessions/ab/abcdef' })
}

t.test(
  'an error of the system is told with the directory, the reason and the code, and without the file',
  async (t) => {
    const cause = systemError('ENOSPC')
    const error = explain('write a session', '/sessions', cause) as NodeJS.ErrnoException
    t.equal(error.message, 'The FileStore could not write a session in /sessions: the disk is full (ENOSPC).')
    t.equal(error.code, 'ENOSPC')
    t.equal(error.cause, cause)
    t.equal(error.path, undefined)
  }
)

t.test('an error without a reason of its own has its code', async (t) => {
  const error = explain('read a session', '/sessions', systemError('EIO')) as Error
  t.equal(error.message, 'The FileStore could not read a session in /sessions: the system reports an error (EIO).')
})

t.test('it names the class that has failed', async (t) => {
  const error = explain('add an entry', '/list', systemError('EIO'), 'FileRevocations') as Error
  t.equal(error.message, 'The FileRevocations could not add an entry in /list: the system reports an error (EIO).')
})

t.test('what is no error of the system stays as it is', async (t) => {
  const error = new TypeError('of the caller')
  t.equal(explain('read a session', '/sessions', error), error)
})

t.test('an unreadable file is named by a property, and not in the message', async (t) => {
  const cause = new Error('it is empty')
  const error = new UnreadableError('/sessions/ab/abcdef', cause)
  t.match(error, { code: 'ERR_SESSION_UNREADABLE', path: '/sessions/ab/abcdef', cause })
  t.ok(isSessionError(error))
  t.match(error.message, /^The FileStore cannot read a session in \/sessions\/ab: it is empty\. /)
  t.notMatch(error.message, /abcdef/)
})
