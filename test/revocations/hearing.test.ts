import t from 'tap'
import { Hearing } from '../../lib/revocations/hearing.ts'
import type { Revocation } from '../../types/revocations.ts'

const session = (id: string): Revocation => ({ kind: 'session', id, until: 2 })

t.test('what is heard before, beside and soon after the answer that has it is no loss', (t) => {
  const hearing = new Hearing()
  t.equal(hearing.isDeaf(), false)
  hearing.heard(session('early'))
  t.equal(hearing.isDeaf(), false)
  hearing.heard(session('beside'))
  hearing.found({ ...session('early'), until: 3 })
  hearing.found(session('beside'))
  hearing.found(session('late'))
  hearing.heard(session('late'))
  t.equal(hearing.isDeaf(), false)
  hearing.found(session('later'))
  t.equal(hearing.isDeaf(), false)
  hearing.heard(session('later'))
  t.equal(hearing.isDeaf(), false)
  t.equal(hearing.isDeaf(), false)
  t.end()
})

t.test('what is not heard until the next answer is', (t) => {
  const owner: Revocation = { kind: 'owner', id: '7', before: 1, except: [], until: 2 }
  for (const [found, heard] of [
    [session('a'), session('b')],
    [owner, { ...owner, before: 2 }],
    [owner, { kind: 'all', before: 1, until: 2 }]
  ] as const) {
    const hearing = new Hearing()
    hearing.found(found)
    t.equal(hearing.isDeaf(), false)
    t.equal(hearing.isDeaf(), false, 'what was there before is not told')
    hearing.found(found)
    hearing.heard(heard)
    t.equal(hearing.isDeaf(), false, 'it may be on its way')
    t.equal(hearing.isDeaf(), true)
    t.equal(hearing.isDeaf(), false, 'once')
    hearing.found(found)
    t.equal(hearing.isDeaf(), false)
    hearing.begin()
    t.equal(hearing.isDeaf(), false, 'and not of a connection before')
  }
  t.end()
})
