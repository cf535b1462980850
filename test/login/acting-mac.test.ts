import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { ActingMac } from '../../lib/login/acting-mac.ts'
import { SECRET } from '../helpers/app.ts'

const OTHER_SECRET = 'another-secret-of-more-than-32-characters-4c1e'

function macsOf(secrets: string[], cookieName = 'session'): ActingMac {
  return new ActingMac(
    deriveKeys(
      secrets.map((secret) => Buffer.from(secret)),
      'acting'
    ),
    cookieName
  )
}

const FACTS = { id: 'é2', by: '1', hash: 'h', seenAt: 1000 }

t.test('a MAC is that of all facts together', async (t) => {
  const macs = macsOf([SECRET])
  const mac = macs.of(FACTS)
  t.equal(macs.verify(FACTS, mac), true)
  t.equal(macs.verify({ ...FACTS }, mac), true)
  const { hash, ...withoutHash } = FACTS
  for (const facts of [{ id: '3' }, { by: '2' }, { hash: 'i' }, { seenAt: 1001 }, { id: '', by: 'é21' }])
    t.equal(macs.verify({ ...FACTS, ...facts }, mac), false, JSON.stringify(facts))
  t.equal(macs.verify(withoutHash, mac), false)
  t.equal(macs.verify(withoutHash, macs.of(withoutHash)), true)
  for (const other of [undefined, null, '', 7, {}, 'é', mac.slice(1), `${mac}A`, macs.of(withoutHash)])
    t.equal(macs.verify(FACTS, other), false, String(other))
})

t.test('any secret verifies, the newest signs, and each session has its own', async (t) => {
  const [old, rotated, taken] = [macsOf([OTHER_SECRET]), macsOf([SECRET, OTHER_SECRET]), macsOf([SECRET])]
  t.equal(rotated.verify(FACTS, old.of(FACTS)), true)
  t.equal(rotated.of(FACTS), taken.of(FACTS))
  t.equal(taken.verify(FACTS, old.of(FACTS)), false)
  t.equal(macsOf([SECRET], 'admin').verify(FACTS, taken.of(FACTS)), false)
})
