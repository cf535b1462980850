import { randomBytes } from 'node:crypto'
import t from 'tap'
import { isWithin, limitOf } from '../../lib/revocations/dated-id.ts'
import { MemoryRevocations } from '../../lib/revocations/memory.ts'
import { Revocations } from '../../lib/revocations/revocations.ts'
import { RevokedMarks, undatedId } from '../../lib/revocations/revoked-marks.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'

const DIGEST = Buffer.alloc(32, 1)

t.test('a mark is an entry of the list for the id that the session has', async (t) => {
  const clock = new FakeClock()
  const times = { maxIdleTimeout: 600, maxAbsoluteTimeout: 3600, maxStaleness: 5, renameGrace: 60, adopt: [] }
  const settings = { ...times, cookieName: 'session', onStale: 'accept', clock: clock.now } as const
  const list = new MemoryRevocations({ clock: clock.now })
  const revocations = new Revocations(list, settings, { info: () => {}, warn: () => {} } as never)
  await revocations.start()
  t.teardown(() => revocations.close())
  const marks = new RevokedMarks(revocations)
  t.equal(marks.claim(), true)
  t.equal(marks.since(DIGEST), undefined)
  await marks.bar(DIGEST, Math.floor(clock.now() / 1000) + 60)
  t.equal(marks.since(DIGEST), 0)
  t.equal(revocations.judge(undatedId(DIGEST), undefined), 'revoked')
})

t.test('an id without a time counts as older than every end', async (t) => {
  for (let count = 0; count < 300; count++) {
    const id = undatedId(randomBytes(32))
    t.match(id, /^[\w-]{22}$/)
    if (!isWithin(limitOf(0), id)) t.fail(id)
  }
})
