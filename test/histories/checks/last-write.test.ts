import t from 'tap'
import { lastWrite, twinOf } from '../../../histories/checks/last-write.ts'
import type { Outcome } from '../../../histories/history.ts'
import { change, entry, FAILED, GONE, got, read, saw, textsOf, write } from '../../helpers/histories.ts'

function shows(value: number | undefined): Outcome {
  return saw({ page: value, [twinOf('page')]: value })
}

t.test('the last write is there, or one that overlaps it', async (t) => {
  const entries = [
    entry(0, 10, write(1)),
    entry(11, 20, read(), shows(1)),
    entry(21, 40, write(2)),
    entry(30, 50, write(3)),
    entry(51, 60, read(), shows(2)),
    entry(61, 70, read(), GONE)
  ]
  t.same(textsOf(lastWrite, entries), [])
})

t.test('a write that was acknowledged and is not there is a violation', async (t) => {
  t.same(textsOf(lastWrite, [entry(0, 10, write(1)), entry(11, 20, read(), shows(undefined))]), [
    'page is undefined, after 1 was acknowledged'
  ])
})

t.test('an earlier write in the place of a later one is a violation, also long after its own failure', async (t) => {
  const replaced = [entry(0, 10, write(1), FAILED), entry(31, 40, write(2)), entry(41, 50, read(), shows(1))]
  t.same(textsOf(lastWrite, replaced), ['page is 1, after 2 was acknowledged'])
  const overlapping = [entry(0, 10, write(1), FAILED), entry(29, 40, write(2)), entry(41, 50, read(), shows(1))]
  t.same(textsOf(lastWrite, overlapping), [])
})

t.test('a value that comes back is a violation', async (t) => {
  const entries = [
    entry(0, 10, write(1)),
    entry(5, 12, write(2), FAILED),
    entry(35, 40, read(), shows(2)),
    entry(41, 50, read(), shows(1))
  ]
  t.same(textsOf(lastWrite, entries), ['page is 1 again, after it was something else'])
})

t.test('a value that was refused, or that nobody has written, is a violation', async (t) => {
  const entries = [entry(0, 10, write(1), GONE), entry(11, 20, read(), shows(1)), entry(21, 30, read(), shows(9))]
  t.same(textsOf(lastWrite, entries), [
    'page is 1, which was refused or never written',
    'page is 9, which was refused or never written'
  ])
})

t.test('half of a write is a violation', async (t) => {
  const half = saw({ page: 1 })
  t.same(textsOf(lastWrite, [entry(0, 10, write(1)), entry(5, 20, read(), half)]), [
    'page is 1, its twin undefined: one request has set both'
  ])
})

t.test('a write without commit() may be lost when the session gets a new id meanwhile', async (t) => {
  const renewed = entry(5, 30, change(), got('k2'))
  const seen = entry(40, 50, read('k2'), shows(undefined))
  t.same(textsOf(lastWrite, [entry(0, 10, write(1, { commits: false })), renewed, seen]), [])
  t.same(textsOf(lastWrite, [entry(0, 10, write(1)), renewed, seen]).length, 1)
})

t.test('regenerate() may bring an earlier value back, in the place of one that was written meanwhile', async (t) => {
  const entries = [
    entry(0, 10, write(1)),
    entry(20, 60, change('k1', { how: 'regenerate' }), got('k2')),
    entry(30, 40, write(2)),
    entry(41, 50, read(), shows(2)),
    entry(61, 70, read('k2'), shows(1))
  ]
  t.same(textsOf(lastWrite, entries), [])
})
