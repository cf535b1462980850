import t from 'tap'
import { detach, Recent } from '../lib/recent.ts'

t.test('what was found out is known, the oldest no longer', async (t) => {
  const recent = new Recent<{ at: number }>(3)
  const known = (): string => [...'abcdefghi'].filter((text) => recent.get(text) !== undefined).join('')
  t.equal(recent.get('a'), undefined)
  for (const [at, text] of [...'abc'].entries()) recent.set(text, { at })
  t.same(recent.get('b'), { at: 1 })
  t.equal(known(), 'abc')
  for (const [at, text] of [...'def'].entries()) recent.set(text, { at })
  t.same(recent.get('c'), { at: 2 }, 'of the older generation')
  recent.set('g', { at: 6 })
  t.equal(recent.get('a'), undefined)
  t.equal(recent.get('b'), undefined)
  t.same(recent.get('c'), { at: 2 }, 'who is asked for stays')
  t.same(recent.get('g'), { at: 6 })
})

t.test('it never holds more than two generations', async (t) => {
  const recent = new Recent<{ at: number }>(10)
  for (let at = 0; at < 1000; at++) recent.set(`text ${at}`, { at })
  let count = 0
  // From the newest on, since a look at an old one makes it young.
  for (let at = 999; at >= 0; at--) if (recent.get(`text ${at}`) !== undefined) count++
  t.ok(count > 10 && count <= 20, `${count} of 20`)
})

t.test('a copy of a text is the text', async (t) => {
  t.equal(detach('a=b; session=r1.x-_'.slice(5, 19)), 'session=r1.x-_')
  t.equal(detach(''), '')
})
