import t from 'tap'
import { MemoryRevocations } from '../../lib/revocations/memory.ts'
import type { Revocation } from '../../types/revocations.ts'

const NOW = 1_763_640_000

t.test('it is for one process, takes only a clock, and forgets what is over', (t) => {
  let now = NOW
  const list = new MemoryRevocations({ clock: () => now * 1000 })
  for (let index = 0; index < 3; index++) list.add({ kind: 'session', id: String(index), until: NOW + index })
  list.add({ kind: 'all', before: 1, until: NOW })
  t.equal(list.size, 4)
  const { position } = list.since()
  now += 2
  t.same(list.since().entries, [{ kind: 'session', id: '2', until: NOW + 2 }], 'what is over behind it is left out')
  t.same(list.since(position).entries, [])
  now++
  t.same(list.since('0').entries, [])
  t.same(list.since('99').position, '4', 'a position that it does not know')
  t.equal(list.size, 0)
  list.add({ kind: 'all', before: 2, until: NOW + 9 })
  t.equal(list.since(position).entries.length, 1)
  t.throws(() => new MemoryRevocations({ size: 1 } as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
  t.throws(() => new MemoryRevocations({ clock: 1 } as never), { code: 'ERR_SESSION_OPTION_INVALID' })
  t.same(new MemoryRevocations().since(), { entries: [], position: '0', hasMore: false })
  t.end()
})

t.test('a session is on the list once, until that is over', (t) => {
  let now = NOW
  const list = new MemoryRevocations({ clock: () => now * 1000 })
  const first = { kind: 'session', id: 'a', until: NOW + 9, successor: 'b' } as const
  t.equal(list.add(first), undefined)
  t.same(list.add({ kind: 'session', id: 'a', until: NOW + 99 }), first)
  now += 10
  t.equal(list.add({ kind: 'session', id: 'a', until: NOW + 99 }), undefined)
  t.end()
})

t.test('it tells everybody who listens, until they stop', (t) => {
  const list = new MemoryRevocations()
  const heard: Revocation[] = []
  const note = (entry: Revocation): void => void heard.push(entry)
  const [stop, stopToo] = [list.listen(note), list.listen(note)]
  list.add({ kind: 'all', before: 1, until: 9_999_999_999 })
  stop()
  list.add({ kind: 'all', before: 2, until: 9_999_999_999 })
  stopToo()
  list.add({ kind: 'all', before: 3, until: 9_999_999_999 })
  t.same(
    heard.map((entry) => entry.kind === 'all' && entry.before),
    [1, 1, 2]
  )
  t.end()
})

t.test('a position of another list counts as none', (t) => {
  const list = new MemoryRevocations()
  const entry = { kind: 'session', id: 'a', until: Number.MAX_SAFE_INTEGER } as const
  list.add(entry)
  for (const position of ['2', '-1', '0.5', 'x', '- 0 -']) t.same(list.since(position).entries, [entry], position)
  t.same(list.since('1').entries, [])
  t.end()
})
