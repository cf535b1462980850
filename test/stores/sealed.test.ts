import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { MemberSeal } from '../../lib/format/sealed-member.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { SealedStore } from '../../lib/stores/sealed.ts'
import { testStore } from '../../lib/testing/index.ts'
import { CIPHER, fixedRandom, SECRET } from '../format/samples.ts'

function sealOf(secrets: Buffer[] = [SECRET]): MemberSeal {
  return new MemberSeal(deriveKeys(secrets, 'member'), fixedRandom(), CIPHER)
}

t.test('the contract', async (t) => {
  testStore({
    test: (name, run) => t.test(name, run),
    open: (clock) => new SealedStore(new MemoryStore({ clock }), sealOf())
  })
})
