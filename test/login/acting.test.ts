import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import type { Acting } from '../../lib/login/acting.ts'
import { isLeftAlone, isNoteDue, readActing } from '../../lib/login/acting.ts'
import { ActingMac } from '../../lib/login/acting-mac.ts'
import { SECRET } from '../helpers/app.ts'

const MACS = new ActingMac(deriveKeys([Buffer.from(SECRET)], 'acting'), 'session')
const FACTS = { id: '2', by: '1', seenAt: 1000 }
const ACTING: Acting = { ...FACTS, mac: MACS.of(FACTS), kept: {} }

t.test('only whoever began an impersonation goes on with it, and only the kit can have written it', async (t) => {
  const data = { _acting: ACTING }
  t.equal(readActing(data, { id: '1' }, MACS), ACTING)
  t.equal(readActing(data, { id: '2' }, MACS), undefined)
  t.equal(readActing(data, undefined, MACS), undefined)
  const forged = [{ ...ACTING, id: '3' }, { ...ACTING, mac: undefined }, { by: '1' }]
  for (const _acting of [undefined, null, {}, 'x', 7, { id: '2' }, ...forged])
    t.equal(readActing({ _acting }, { id: '1' }, MACS), undefined)
  t.equal(readActing({}, { id: '1' }, MACS), undefined)
})

t.test('an impersonation may be left alone for as long as the limit', (t) => {
  for (const [now, isOver] of [
    [1000, false],
    [1900, false],
    [1901, true]
  ] as const) {
    t.equal(isLeftAlone(ACTING, 900, now), isOver, String(now))
  }
  t.end()
})

t.test('its use is noted ten times within the limit, and once a second at most', (t) => {
  t.equal(isNoteDue(ACTING, 900, 1089), false)
  t.equal(isNoteDue(ACTING, 900, 1090), true)
  t.equal(isNoteDue(ACTING, 5, 1000), false)
  t.equal(isNoteDue(ACTING, 5, 1001), true)
  t.end()
})
