import fc from 'fast-check'
import t from 'tap'
import { RandomPool } from '../../lib/crypto/random.ts'
import { Bars } from '../../lib/revocations/bars.ts'
import { datedId } from '../../lib/revocations/dated-id.ts'
import type { Revocation } from '../../types/revocations.ts'

const NOW = 1_763_640_000
const random = new RandomPool()
/** An id that was issued so many milliseconds after NOW. */
const idAt = (milliseconds: number): string => datedId(NOW * 1000 + milliseconds, random)
const HOUR = NOW + 3600

let now = NOW

function barsOf(...entries: readonly Revocation[]): Bars {
  now = NOW
  const bars = new Bars(() => now)
  for (const entry of entries) bars.apply(entry)
  return bars
}

t.test('a session is barred by its id, and no other one', (t) => {
  const [id, other] = [idAt(0), random.text(16)]
  const bars = barsOf({ kind: 'session', id, until: HOUR })
  t.equal(bars.judge(id, '7'), 'revoked')
  t.equal(bars.judge(other, '7'), undefined)
  t.equal(bars.size, 1)
  t.end()
})

t.test('one that has a new id counts as renamed for a while', (t) => {
  const id = idAt(0)
  const bars = barsOf({ kind: 'session', id, until: HOUR, renamedUntil: NOW + 60 })
  now = NOW + 60
  t.equal(bars.judge(id, undefined), 'renamed')
  now = NOW + 61
  t.equal(bars.judge(id, undefined), 'revoked')
  bars.apply({ kind: 'session', id, until: HOUR, renamedUntil: NOW + 60 })
  t.equal(bars.judge(id, undefined), 'revoked')
  t.end()
})

t.test('the sessions of an owner are barred that were issued before, except those that stay', (t) => {
  const [before, same, after, kept] = [idAt(-1), idAt(0), idAt(1), idAt(-5)]
  const bars = barsOf({ kind: 'owner', id: '7', before: NOW * 1000, except: [kept], until: HOUR })
  t.equal(bars.judge(before, '7'), 'revoked')
  t.equal(bars.judge(same, '7'), 'revoked')
  t.equal(bars.judge(after, '7'), undefined, 'a login a millisecond later')
  t.equal(bars.judge(kept, '7'), undefined)
  t.equal(bars.judge(idAt(-1), '7', kept), undefined, 'nor what gets that id')
  t.equal(bars.judge(before, '8'), undefined, 'another owner')
  t.equal(bars.judge(before, undefined), undefined, 'no owner')
  t.equal(bars.judge(random.text(16), '7'), 'revoked', 'an id that tells no time')
  t.equal(bars.latest, NOW * 1000)
  t.end()
})

t.test('everybody is barred who came before', (t) => {
  const bars = barsOf({ kind: 'all', before: NOW * 1000, until: HOUR }, { kind: 'all', before: 5, until: HOUR })
  t.equal(bars.judge(idAt(0), undefined), 'revoked')
  t.equal(bars.judge(idAt(0), '7'), 'revoked')
  t.equal(bars.judge(random.text(16), undefined), 'revoked')
  t.equal(bars.judge(idAt(1), '7'), undefined)
  t.equal(bars.latest, NOW * 1000)
  t.end()
})

t.test('without entries, nobody is, and an entry that is over does nothing', (t) => {
  const id = idAt(0)
  const bars = barsOf(
    { kind: 'session', id, until: NOW - 1 },
    { kind: 'owner', id: '7', before: NOW * 1000, except: [], until: NOW - 1 },
    { kind: 'all', before: NOW * 1000, until: NOW - 1 }
  )
  t.equal(bars.judge(id, '7'), undefined)
  t.equal(bars.judge(random.text(16), undefined), undefined)
  t.equal(bars.size, 0)
  t.end()
})

t.test('an entry of another kind bars nobody', (t) => {
  const bars = barsOf({ kind: 'device', id: 'x', before: Infinity, until: HOUR } as never)
  t.equal(bars.judge(random.text(16), '7'), undefined)
  t.equal(bars.latest, 0)
  t.end()
})

t.test('what is over is forgotten', (t) => {
  const id = idAt(0)
  const bars = barsOf(
    { kind: 'session', id, until: HOUR, renamedUntil: NOW + 60 },
    { kind: 'owner', id: '7', before: NOW * 1000, except: [], until: HOUR }
  )
  now = HOUR
  bars.sweep(10)
  t.equal(bars.size, 2)
  now = HOUR + 1
  bars.sweep(10)
  t.equal(bars.size, 0)
  t.equal(bars.judge(id, '7'), undefined)
  t.end()
})

t.test('entries of an owner bar together what each of them bars, in any order and however often', (t) => {
  const ids = [-3, -2, -1, 0, 1, 2, 3].map(idAt)
  const entries = fc.array(
    fc.record({ before: fc.integer({ min: -3, max: 3 }), except: fc.uniqueArray(fc.nat(6), { maxLength: 2 }) }),
    { minLength: 1, maxLength: 5 }
  )
  fc.assert(
    fc.property(entries, fc.array(fc.nat(4), { maxLength: 10 }), (entries, again) => {
      const made = entries.map(({ before, except }) => ({
        kind: 'owner' as const,
        id: '7',
        before: NOW * 1000 + before,
        except: except.map((index) => ids[index] as string),
        until: HOUR
      }))
      const bars = barsOf(...made, ...again.map((index) => made[index % made.length] as Revocation))
      for (const [index, id] of ids.entries()) {
        const isBarred = entries.some(({ before, except }) => index - 3 <= before && !except.includes(index))
        if ((bars.judge(id, '7') === 'revoked') !== isBarred) return false
      }
      return true
    })
  )
  t.end()
})
