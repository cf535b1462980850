import t from 'tap'
import { printable } from '../../lib/cli/printable.ts'

t.test('what controls a terminal, or the direction of text, is escaped as in JSON', (t) => {
  t.equal(printable('\u001b[2J\u009b\u202e\u2028\u{e0001}\r'), '\\u001b[2J\\u009b\\u202e\\u2028\\udb40\\udc01\\u000d')
  t.equal(printable('Ana é 漢 😀'), 'Ana é 漢 😀')
  t.end()
})
