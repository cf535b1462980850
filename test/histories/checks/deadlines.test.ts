import t from 'tap'
import { deadlines } from '../../../histories/checks/deadlines.ts'
import { begin, entry, FAILED, read, textsOf } from '../../helpers/histories.ts'

t.test('a reply within the deadlines of its operations is no violation', async (t) => {
  t.same(textsOf(deadlines, [entry(0, 150, begin()), entry(0, 250, read(), FAILED)]), [])
})

t.test('a later one is a violation, whatever it says', async (t) => {
  t.same(textsOf(deadlines, [entry(0, 151, begin()), entry(0, 251, read(), FAILED)]), [
    'begin took 151 ms, 100 ms and 50 ms for a busy machine allowed',
    'read took 251 ms, 200 ms and 50 ms for a busy machine allowed'
  ])
})

t.test('the time in which its process, or the observer, stood still does not count', async (t) => {
  const late = [entry(0, 400, read())]
  t.same(textsOf(deadlines, late, [{ process: 'a', from: 50, to: 210 }]), [])
  t.same(textsOf(deadlines, late, [{ process: undefined, from: -100, to: 150 }]), [])
  t.same(textsOf(deadlines, late, [{ process: 'a', from: 240, to: Number.POSITIVE_INFINITY }]), [])
  t.same(textsOf(deadlines, late, [{ process: 'b', from: 50, to: 210 }]).length, 1)
  t.same(textsOf(deadlines, late, [{ process: 'a', from: 500, to: 900 }]).length, 1)
})
