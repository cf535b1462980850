import t from 'tap'
import { toPlain } from '../../lib/flask/plain.ts'

t.test('what JSON cannot hold becomes text, wherever it is', (t) => {
  const at = new Date('2026-11-20T12:00:01Z')
  t.same(toPlain({ at, in: [{ bytes: Uint8Array.of(0, 255, 16) }, at], n: 1, no: null, text: 'x', yes: true }), {
    at: '2026-11-20T12:00:01.000Z',
    in: [{ bytes: 'AP8Q' }, '2026-11-20T12:00:01.000Z'],
    n: 1,
    no: null,
    text: 'x',
    yes: true
  })
  t.same(Object.keys(toPlain(JSON.parse('{"__proto__":1}')) as object), ['__proto__'])
  t.end()
})
