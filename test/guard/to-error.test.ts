import t from 'tap'
import { toError } from '../../lib/guard/to-error.ts'

t.test('whatever was thrown fails the request', (t) => {
  const error = new Error('down')
  t.equal(toError(error), error)
  t.equal(toError('text'), 'text')
  for (const thrown of [undefined, null, 0, '', false]) t.match(toError(thrown), { code: 'ERR_SESSION_VALUE' })
  t.end()
})
