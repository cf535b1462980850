import fc from 'fast-check'
import t from 'tap'
import {
  isSealed,
  MAX_SCHEMA_VERSION,
  openedExtensions,
  readExtension,
  readSchemaStamp,
  refuseExtensions,
  sealedExtensions,
  withExtension,
  withoutJudgement,
  withSchemaVersion,
  withVersionOf
} from '../../lib/format/extensions.ts'

t.test('extensions in their one spelling are accepted, known or not', async (t) => {
  for (const extensions of [undefined, '', ':v1', ':v2-', `:v${MAX_SCHEMA_VERSION}`, ':a', ':a-_09Az:b:v3:z']) {
    t.equal(refuseExtensions(extensions), undefined, String(extensions))
  }
})

t.test('any other spelling is malformed', async (t) => {
  for (const extensions of [
    ':',
    'v3',
    'v:3',
    ':v3:',
    '::v3',
    ':v3 ',
    ' :v3',
    ':v3\n',
    ':3',
    ':-a',
    ':_a',
    ':w1.5',
    ':w{',
    ':é',
    ':w1:v3',
    ':v3:v3',
    ':v3:X',
    ':X:X',
    ':v',
    ':v0',
    ':v-',
    ':v3--',
    ':v03',
    ':v-3',
    ':v3a',
    ':v1000000000'
  ]) {
    t.equal(refuseExtensions(extensions), 'malformed', JSON.stringify(extensions))
  }
})

t.test('a capital letter that is not known is unsupported, also where it is a name of every object', async (t) => {
  for (const extensions of [':X', ':A:Z', ':X1:v3', ':A-_:v2:z']) {
    t.equal(refuseExtensions(extensions), 'unsupported', extensions)
  }
  t.equal(refuseExtensions(':X:v0'), 'malformed', 'a misspelled one comes first')
})

t.test('what stands before those of a record whose values are sealed is refused until it is taken off', async (t) => {
  for (const [extensions, sealed] of [
    [undefined, ':S1'],
    ['', ':S1'],
    [':v3', ':S1:v3'],
    [':D1:v3', ':S1:D1:v3']
  ] as const) {
    t.equal(sealedExtensions(extensions), sealed)
    t.equal(openedExtensions(sealed), extensions ?? '')
    t.equal(openedExtensions(extensions), extensions)
    t.same([isSealed(extensions), isSealed(sealed)], [false, true])
    t.equal(refuseExtensions(sealed), 'malformed')
  }
})

t.test('an extension is read, changed and removed among others, which stay as they are', async (t) => {
  t.equal(readExtension(undefined, 'v'), undefined)
  t.equal(readExtension('', 'v'), undefined)
  t.equal(readExtension(':aX:w:z1', 'w'), '')
  t.equal(readExtension(':av3:z1', 'v'), undefined, 'not inside of another one')
  t.equal(withExtension(undefined, 'w', 'A'), ':wA')
  t.equal(withExtension('', 'w', undefined), undefined)
  t.equal(withExtension(':Ba:a1:z', 'w', 'A'), ':Ba:a1:wA:z')
  t.equal(withExtension(':Ba:a1:z', 'a', ''), ':Ba:a:z')
  t.equal(withExtension(':Ba:a1:z', 'a', undefined), ':Ba:z')
  t.equal(withExtension(':a1', 'a', undefined), undefined)
})

t.test(
  'the version of the schema is there if there was a schema, and says whether that server has judged the data',
  async (t) => {
    t.equal(readSchemaStamp(undefined), undefined)
    t.equal(readSchemaStamp(':w9'), undefined)
    t.strictSame(readSchemaStamp(':a2:v30:w9'), { version: 30, isJudged: true })
    t.strictSame(readSchemaStamp(':v1-'), { version: 1, isJudged: false })
    t.equal(withSchemaVersion(undefined, 1), ':v1')
    t.equal(withSchemaVersion(':a2:v30-:w9', 31), ':a2:v31:w9')
    t.equal(withSchemaVersion(':a2:w9', MAX_SCHEMA_VERSION), `:a2:v${MAX_SCHEMA_VERSION}:w9`)
    t.equal(withoutJudgement(':a2:v30:w9'), ':a2:v30-:w9')
    t.equal(withoutJudgement(':v30-'), ':v30-')
    t.equal(withoutJudgement(':w9'), ':w9')
    t.equal(withoutJudgement(undefined), undefined)
  }
)

t.test('a session that goes on with data of another version has that, and nothing else of the other', async (t) => {
  t.equal(withVersionOf(':v1', ':a2:v2'), ':v2-')
  t.equal(withVersionOf(undefined, ':v2'), ':v2-')
  t.equal(withVersionOf(':b3:v1', ':v2-'), ':b3:v2-')
  for (const other of [undefined, ':v2', ':a2:v2', ':v2-']) t.equal(withVersionOf(':v2', other), ':v2')
  t.equal(withVersionOf(undefined, undefined), undefined)
})

t.test('whatever is written is accepted, in one spelling whatever the order, and read again', async (t) => {
  const value = fc.stringMatching(/^[\w-]{0,9}$/)
  const values = fc.dictionary(fc.stringMatching(/^[a-ce-oq-uw-z]$/), value)
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: MAX_SCHEMA_VERSION }), (values, version) => {
      const entries = Object.entries(values)
      const write = (pairs: readonly [string, string][]): string | undefined =>
        pairs.reduce<string | undefined>((text, [tag, value]) => withExtension(text, tag, value), undefined)
      const text = withSchemaVersion(write(entries), version)
      return (
        refuseExtensions(text) === undefined &&
        withSchemaVersion(write(entries.toReversed()), version) === text &&
        entries.every(([tag, value]) => readExtension(text, tag) === value) &&
        readSchemaStamp(text)?.version === version
      )
    }),
    { seed: 11, numRuns: 1000, endOnFailure: true }
  )
  t.pass('for 1000 sets of extensions')
})

t.test('any text is judged without an exception, and what is accepted has no second spelling', async (t) => {
  const part = fc.constantFrom(':', 'v', 'w', 'X', 'a', '1', '0', '-', '_', ' ', 'é')
  const text = fc.oneof(
    fc.string(),
    fc.array(part).map((parts) => parts.join(''))
  )
  fc.assert(
    fc.property(text, (text) => {
      const refusal = refuseExtensions(text)
      if (refusal === 'malformed') return true
      const entries = text === '' ? [] : text.slice(1).split(':')
      const written = entries.reduce<string | undefined>(
        (before, entry) => withExtension(before, entry.charAt(0), entry.slice(1)),
        undefined
      )
      return (written ?? '') === text
    }),
    { seed: 12, numRuns: 5000, endOnFailure: true }
  )
  t.pass('for 5000 texts')
})
