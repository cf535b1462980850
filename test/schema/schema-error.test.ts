import t from 'tap'
import { schemaError } from '../../lib/schema/schema-error.ts'

t.test('the paths are in the cause, because Fastify sends the message to clients', async (t) => {
  const issues = [
    { path: ['cart', 'ada@example.org', 0], message: 'expected number' },
    { path: [], message: 'one of them' }
  ]
  const error = schemaError(issues)
  t.match(error, { code: 'ERR_SESSION_SCHEMA', statusCode: 500, issues })
  t.notMatch(error.message, /cart|ada/)
  const { message } = error.cause as Error
  t.equal(message, 'session.cart["ada@example.org"][0]: expected number; session: one of them')
})

t.test('the cause names ten issues', async (t) => {
  const issues = Array.from({ length: 12 }, (_, index) => ({ path: [`k${index}`], message: 'no' }))
  const error = schemaError(issues)
  t.equal((error.cause as Error).message.split('; ').length, 10)
  t.match(error, { issues })
})
