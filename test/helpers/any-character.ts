import fc from 'fast-check'

const FIRST_SURROGATE = 0xd800
const SURROGATES = 0x800

/**
 * Any character of Unicode. The same as the unit 'binary' of fast-check, which makes a table of all of them first: that takes
 * longer than most tests.
 */
export const anyCharacter: fc.Arbitrary<string> = fc.nat(0x10ffff - SURROGATES).map(
  (index) => String.fromCodePoint(index < FIRST_SURROGATE ? index : index + SURROGATES),
  (text) => {
    const [character, more] = typeof text === 'string' ? text : ''
    const point = character?.codePointAt(0)
    if (point === undefined || more !== undefined || (point >= FIRST_SURROGATE && point < FIRST_SURROGATE + SURROGATES))
      throw new Error('not one character')
    return point < FIRST_SURROGATE ? point : point - SURROGATES
  }
)
