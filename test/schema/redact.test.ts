import { type } from 'arktype'
import t from 'tap'
import { judge } from '../../lib/schema/judge.ts'
import { redact } from '../../lib/schema/redact.ts'

const data = {
  name: 'ada@example.org',
  role: 'x',
  nested: [{ note: 'say "hi"\n' }],
  long: 'ada@example.org and more',
  n: 5
}

t.test('texts of a session are replaced, however a validator quotes them', async (t) => {
  for (const [message, expected] of [
    ['Expected number but received "ada@example.org"', 'Expected number but received a string'],
    ["was 'ada@example.org'", 'was a string'],
    ['was `ada@example.org`', 'was a string'],
    ['ada@example.org is no name', 'a string is no name'],
    ['(was "say \\"hi\\"\\n")', '(was a string)'],
    ['(was say \\"hi\\"\\n)', '(was a string)'],
    ['ada@example.org and more', 'a string'],
    // One of one letter is part of many words.
    ['expected "y", got "x"', 'expected "y", got a string'],
    ['next', 'next']
  ] as const) {
    t.equal(redact(message, data, undefined), expected, message)
  }
})

t.test('texts with backslashes are replaced within objects and arrays, too, where ArkType doubles them', async (t) => {
  const schema = type({ name: "'x'" })
  for (const name of ['C:\\secret', ['C:\\secret'], { path: 'a\\b"secret' }]) {
    const [issue] = judge(schema, { name }) ?? []
    t.match(issue?.message, /a string/)
    t.notMatch(issue?.message, /secret/)
  }
})

t.test('numbers are replaced if the message is about them', async (t) => {
  for (const [message, value, expected] of [
    ['Expected <=3 but received 5', 5, 'Expected <=3 but received a number'],
    ['15 and 5.5 and a5', 5, '15 and 5.5 and a5'],
    ['(was 5).', 5, '(was a number).'],
    ['was -1.5', -1.5, 'was a number'],
    ['was 1e+21', 1e21, 'was a number'],
    ['was 3,5', [3, { n: 5 }], 'was a number,a number'],
    ['was 5', 'text', 'was 5'],
    ['was null', null, 'was null']
  ] as const) {
    t.equal(redact(message, data, value), expected, message)
  }
})

t.test('an empty text is nothing to replace', async (t) => {
  t.equal(redact('Too short: ""', { name: '' }, ''), 'Too short: ""')
})
