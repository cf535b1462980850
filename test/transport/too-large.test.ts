import t from 'tap'
import { tooLargeError } from '../../lib/transport/too-large.ts'

t.test(
  'the error says the limit and what to do, its cause names the three biggest keys, and neither has a value',
  async (t) => {
    const json = '{"a":1,"name":"a secret value","cart":[1,2,3,4,5,6],"b":"xxx"}'
    t.match(tooLargeError('It is too large', json, 'Keep less.'), {
      code: 'ERR_SESSION_TOO_LARGE',
      message: 'It is too large. Keep less. The cause of this error names the largest keys.',
      cause: { message: 'Largest keys: name (23 bytes), cart (20 bytes), b (9 bytes).' }
    })
  }
)
