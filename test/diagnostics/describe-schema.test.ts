import t from 'tap'
import { describeSchema } from '../../lib/diagnostics/describe-schema.ts'

t.test('a session says under which version of the schema it was written', async (t) => {
  t.equal(describeSchema(undefined), undefined)
  t.equal(describeSchema(':w1'), undefined)
  t.equal(describeSchema(':a:v3'), 'version 3')
  t.equal(describeSchema(':v12-'), 'version 12, changed by a server that does not know it')
})
