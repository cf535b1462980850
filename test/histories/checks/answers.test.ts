import t from 'tap'
import { answers } from '../../../histories/checks/answers.ts'
import { entry, FAILED, GONE, OK, REFUSED, read, textsOf } from '../../helpers/histories.ts'

t.test('an answer that no request should get is a violation', async (t) => {
  const known = [OK, GONE, REFUSED, FAILED].map((outcome) => entry(0, 10, read(), outcome))
  t.same(textsOf(answers, [...known, entry(0, 10, read(), { kind: 'wrong', text: '500 oops' })]), [
    'read was answered 500 oops'
  ])
})
