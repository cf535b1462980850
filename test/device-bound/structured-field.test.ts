import fc from 'fast-check'
import t from 'tap'
import { parseItem, parseList, writeString } from '../../lib/device-bound/structured-field.ts'

const item = (value: string, parameters: Record<string, string> = {}) => ({ value, parameters })

t.test('an item is read with quotes and without', async (t) => {
  for (const [text, expected] of [
    ['abc', item('abc')],
    ['"abc"', item('abc')],
    ['""', item('')],
    ['  abc  ', item('abc')],
    ['eyJ0.eyJq.a-b_c', item('eyJ0.eyJq.a-b_c')],
    ['"eyJ0.eyJq.a-b_c"', item('eyJ0.eyJq.a-b_c')],
    ['"a \\"b\\" \\\\ c"', item('a "b" \\ c')],
    ['abc;id="d1"', item('abc', { id: 'd1' })],
    ['"abc"; id=d1;  x', item('abc', { id: 'd1', x: '' })],
    ['a;b=1;b=c', undefined],
    ['a;b=x;b=c', item('a', { b: 'c' })],
    ['a;__proto__=b', undefined],
    ['*a:/b', item('*a:/b')]
  ] as const) {
    const found = parseItem(text)
    t.same(found && { ...found, parameters: { ...found.parameters } }, expected, text)
  }
})

t.test('any other text is none', async (t) => {
  for (const text of [
    '',
    ' ',
    '"',
    '"abc',
    'abc"',
    '"a\\b"',
    '"a"b"',
    '"a\u0000"',
    '"é"',
    'é',
    '1abc',
    '-abc',
    ':YWJj:',
    '(a b)',
    '?1',
    'a b',
    'a;',
    'a;B',
    'a;b=',
    'a;b="',
    'a,',
    'a, b',
    '\tabc\n'
  ]) {
    t.equal(parseItem(text), undefined, JSON.stringify(text))
  }
})

t.test('a list has one item or more', async (t) => {
  const values = (text: string) => parseList(text)?.map(({ value }) => value)
  t.same(values('a'), ['a'])
  t.same(values('a;session_identifier="b,c" , "d" ,e'), ['a', 'd', 'e'])
  t.equal(parseList('a;session_identifier="b,c"')?.[0]?.parameters.session_identifier, 'b,c')
  for (const text of ['', ',', 'a,', ',a', 'a,,b', 'a b']) t.equal(values(text), undefined, text)
})

t.test('every string is read as it was written', async (t) => {
  const characters = fc.string({ unit: fc.constantFrom(...'abcXYZ019._-~!#$%&()*+,/:;<=>?@[]^`{|} ') })
  fc.assert(fc.property(characters, (value) => parseItem(writeString(value))?.value === value))
  t.pass('for all of them')
})

t.test('no text throws, and none is read as something that it does not contain', async (t) => {
  const pieces = fc.constantFrom('"', '\\', ';', ',', '=', ' ', 'a', 'id', '*', '\t', '\u0000', 'é', '😀', '(', ')')
  fc.assert(
    fc.property(fc.array(pieces), (given) => {
      const text = given.join('')
      for (const { value } of parseList(text) ?? []) {
        if (!text.replaceAll('\\', '').includes(value.replaceAll('\\', ''))) return false
      }
      return true
    })
  )
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => parseItem(text) !== null))
  t.pass('for all of them')
})
