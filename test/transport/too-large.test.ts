import t from 'tap'
import { tooLargeError } from '../../lib/transport/too-large.ts'

t.test('the error names the limit, the three biggest keys and what to do, and no value', async (t) => {
  const json = '{"a":1,"name":"a secret value","cart":[1,2,3,4,5,6],"b":"xxx"}'
  t.match(tooLargeError('It is too large', json, 'Keep less.'), {
    code: 'ERR_SESSION_TOO_LARGE',
    message: 'It is too large. Largest keys: name (23 bytes), cart (20 bytes), b (9 bytes). Keep less.'
  })
})
