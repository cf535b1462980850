import t from 'tap'
import { decodeRevocation, encodeRevocation } from '../../../lib/stores/file/revocation-line.ts'
import type { Revocation } from '../../../types/revocations.ts'

const ENTRIES: readonly Revocation[] = [
  { kind: 'session', id: 'a', until: 1 },
  { kind: 'session', id: 'a', until: 1, renamedUntil: 2, successor: 'b' },
  { kind: 'owner', id: ' Å"\\\n\u2028😀', before: 0, except: [], until: 1 },
  { kind: 'owner', id: 'ada', before: 3, except: ['a', 'b'], until: 1 },
  { kind: 'all', before: 3, until: 1 },
  // Of a newer version.
  { kind: 'address', id: '::1', until: 1 } as never,
  { kind: 'all', before: 3, until: 1, more: [1] } as never
]

t.test('an entry is a line, and comes back as it was', async (t) => {
  for (const entry of ENTRIES) {
    const line = encodeRevocation(entry)
    t.equal(line.indexOf('\n'), line.length - 1)
    t.same(decodeRevocation(line.slice(0, -1)), entry)
  }
})

t.test('a part of a line is no entry, and neither is what nobody has written', async (t) => {
  for (const entry of ENTRIES) {
    const line = encodeRevocation(entry)
    for (let length = 0; length < line.length - 1; length++) t.equal(decodeRevocation(line.slice(0, length)), undefined)
  }
  const session = { kind: 'session', id: 'a', until: 1 }
  const owner = { kind: 'owner', id: 'a', before: 1, except: [], until: 1 }
  const wrong = [
    ...[null, 7, 'text', [], {}, { until: 1 }, { kind: 7, until: 1 }],
    ...[undefined, '1', -1, 0.5, 1e300].map((until) => ({ ...session, until })),
    ...[{ id: 7 }, { id: undefined }, { renamedUntil: '2' }, { successor: 7 }, { ownerId: 7 }, { reason: {} }].map(
      (other) => ({
        ...session,
        ...other
      })
    ),
    ...[{ id: 7 }, { before: 0.5 }, { except: 'a' }, { except: [7] }].map((other) => ({ ...owner, ...other })),
    { kind: 'all', until: 1 }
  ]
  for (const value of wrong) t.equal(decodeRevocation(JSON.stringify(value)), undefined, JSON.stringify(value))
})
