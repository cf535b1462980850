import t from 'tap'
import { HandleAliases } from '../../lib/owners/handle-aliases.ts'

t.test('a handle that its store does not know yet stands for the old one', async (t) => {
  const renamed = new HandleAliases()
  t.equal(renamed.resolve('new'), 'new')
  renamed.note('new', 'old')
  t.equal(renamed.resolve('new'), 'old')
  renamed.forget('new')
  t.equal(renamed.resolve('new'), 'new')
})

t.test('what nobody ever forgets does not grow for ever', async (t) => {
  const renamed = new HandleAliases()
  for (let index = 0; index <= 10_000; index++) renamed.note(`new ${index}`, `old ${index}`)
  t.equal(renamed.resolve('new 0'), 'new 0')
  t.equal(renamed.resolve('new 10000'), 'old 10000')
})
