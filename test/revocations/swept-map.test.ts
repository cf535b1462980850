import t from 'tap'
import { SweptMap } from '../../lib/revocations/swept-map.ts'

function fill(map: SweptMap<number>, count: number, until: (index: number) => number): void {
  for (let index = 0; index < count; index++) map.set(`key ${index}`, until(index), 0)
}

t.test('what is over is removed a few at a time, whatever its order', (t) => {
  const map = new SweptMap<number>((until) => until)
  fill(map, 100, (index) => (index % 2 === 0 ? 10 : 20))
  t.equal(map.size, 100)
  map.sweep(10, 1000)
  t.equal(map.size, 100, 'the last second counts')
  for (let turn = 0; turn < 11; turn++) map.sweep(11, 10)
  t.equal(map.size, 50)
  t.equal(map.get('key 0'), undefined)
  t.equal(map.get('key 1'), 20)
  t.end()
})

t.test('new entries make room for themselves', (t) => {
  const map = new SweptMap<number>((until) => until)
  fill(map, 10_000, () => 10)
  for (let index = 0; index < 4000; index++) map.set(`later ${index}`, 100, 11)
  t.equal(map.size, 4000)
  t.end()
})

t.test('a key has its latest value', (t) => {
  const map = new SweptMap<{ until: number }>(({ until }) => until)
  map.set('a', { until: 1 }, 0)
  map.set('a', { until: 5 }, 0)
  map.sweep(5, 10)
  t.same(map.get('a'), { until: 5 })
  t.equal(map.size, 1)
  t.end()
})
