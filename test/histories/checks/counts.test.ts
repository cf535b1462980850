import t from 'tap'
import { counts } from '../../../histories/checks/counts.ts'
import { CUT_OFF, change, entry, FAILED, GONE, got, increment, read, saw, textsOf } from '../../helpers/histories.ts'

t.test(
  'increments that count once are no violation, nor are those that are not yet there or never judged',
  async (t) => {
    const entries = [
      entry(0, 10, increment(1)),
      entry(5, 30, increment(2)),
      entry(11, 20, read(), saw({ applied: [1] })),
      entry(31, 40, read(), saw({ applied: [1, 2] })),
      entry(41, 50, read(), GONE),
      entry(41, 50, increment(3, 'k9', 'other'))
    ]
    t.same(textsOf(counts, entries), [])
  }
)

t.test('an increment of which nobody knows counts once or not at all', async (t) => {
  const entries = [
    entry(0, 10, increment(1), FAILED),
    entry(0, 10, increment(2), FAILED),
    entry(200, 210, read(), saw({ applied: [2] })),
    entry(220, 230, read(), saw({ applied: [2] }))
  ]
  t.same(textsOf(counts, entries), [])
})

t.test('one that counts twice is a violation, once', async (t) => {
  const twice = saw({ applied: [1, 1] })
  const entries = [entry(0, 10, increment(1)), entry(11, 20, read(), twice), entry(21, 30, read(), twice)]
  t.same(textsOf(counts, entries), ['increment 1 counts twice'])
})

t.test('one that was acknowledged and is not there is a violation', async (t) => {
  t.same(textsOf(counts, [entry(0, 10, increment(1)), entry(11, 20, read(), saw({}))]), [
    'increment 1 was acknowledged, and does not count'
  ])
})

t.test('regenerate() may lose what others write meanwhile, and nothing else', async (t) => {
  const regenerated = entry(20, 30, change('k1', { how: 'regenerate' }), got('k2'))
  const seen = entry(60, 70, read('k2'), saw({}))
  t.same(textsOf(counts, [entry(15, 25, increment(1)), regenerated, seen]), [])
  t.same(textsOf(counts, [entry(0, 10, increment(1)), regenerated, seen]).length, 1)
  const renewed = entry(20, 30, change(), got('k2'))
  t.same(textsOf(counts, [entry(15, 25, increment(1)), renewed, seen]).length, 1)
})

t.test('one that was refused, or that nobody has sent, must not count', async (t) => {
  const entries = [entry(0, 10, increment(1), GONE), entry(11, 20, read(), saw({ applied: [1, 7] }))]
  t.same(textsOf(counts, entries), ['increment 1 was refused, and counts', 'increment 7 was refused, and counts'])
})

t.test('one that appears after its time is a violation', async (t) => {
  const late = [
    entry(0, 10, increment(1), FAILED),
    entry(31, 40, read(), saw({})),
    entry(50, 60, read(), saw({ applied: [1] }))
  ]
  t.same(textsOf(counts, late), ['increment 1 counts only after its time'])
  const inTime = [
    entry(0, 10, increment(1), FAILED),
    entry(29, 40, read(), saw({})),
    entry(50, 60, read(), saw({ applied: [1] }))
  ]
  t.same(textsOf(counts, inTime), [])
})

t.test('a process that is killed may have sent it at its last moment, until its deadline is over', async (t) => {
  const [cut, absent] = [entry(0, 10, increment(1), CUT_OFF), saw({})]
  const present = entry(300, 310, read(), saw({ applied: [1] }))
  t.same(textsOf(counts, [cut, entry(130, 140, read(), absent), present]), [])
  t.same(textsOf(counts, [cut, entry(131, 140, read(), absent), present]), ['increment 1 counts only after its time'])
})

t.test('two reads at the same time may see different things', async (t) => {
  const entries = [
    entry(0, 10, increment(1), FAILED),
    entry(40, 60, read(), saw({})),
    entry(50, 55, read(), saw({ applied: [1] }))
  ]
  t.same(textsOf(counts, entries), [])
})
