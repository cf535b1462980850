import t from 'tap'
import { Gates } from '../../../lib/testing/race-suite/gates.ts'

t.test('a request waits at its gate until a test opens it', async (t) => {
  const gates = new Gates()
  const [gate, other] = [gates.add(), gates.add()]
  t.not(gate, other)
  const steps: string[] = []
  const arrival = gates.arrived(gate).then(() => steps.push('arrived'))
  t.same(steps, [])
  const request = gates.wait(gate).then(() => steps.push('continued'))
  await arrival
  t.same(steps, ['arrived'])
  gates.open(other)
  await null
  t.same(steps, ['arrived'], 'another gate does not matter')
  gates.open(gate)
  await request
  t.same(steps, ['arrived', 'continued'])
})

t.test('a request does not wait at an open gate', async (t) => {
  const gates = new Gates()
  const gate = gates.add()
  gates.open(gate)
  await t.resolves(gates.wait(gate))
  await t.resolves(gates.arrived(gate))
})
