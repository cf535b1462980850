import t from 'tap'
import { countSurprises } from '../../lib/crypto/surprises.ts'

t.test('what does not follow from the text before counts', async (t) => {
  const counts: Readonly<Record<string, number>> = {
    '': 0,
    x: 1,
    abc: 3,
    abcd: 1,
    dcba: 1,
    '9876': 1,
    aabbcc: 1,
    aaaa: 1,
    '89ab': 1,
    qwertz: 1,
    ytrewq: 1,
    'x!y!z!w': 7,
    k3vqk3vq: 5,
    k3vqk3vqk3vqk3: 5,
    'secret-token': 3,
    'at least': 1
  }
  for (const [text, count] of Object.entries(counts)) t.equal(countSurprises(text), count, text)
})
