import t from 'tap'
import { align } from '../../lib/cli/align.ts'

t.test('columns are as wide as their widest cell, within limits', (t) => {
  t.equal(
    align([
      ['a', 'bcd', 'e'],
      ['abc', 'b', 'efg']
    ]),
    'a    bcd  e\nabc  b    efg'
  )
  const [long, short] = align([
    ['x'.repeat(60), 'y'],
    ['a', 'b']
  ]).split('\n') as [string, string]
  t.equal(long, `${'x'.repeat(60)}y`)
  t.equal(short, `a${' '.repeat(45)}b`)
  t.equal(align([]), '')
  t.end()
})
