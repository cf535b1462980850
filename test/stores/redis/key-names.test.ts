import t from 'tap'
import { KeyNames } from '../../../lib/stores/redis/key-names.ts'

t.test('keys have a prefix, and an owner is not shown', async (t) => {
  const names = new KeyNames('app:')
  t.equal(names.ofRecord('a'), 'app:a')
  t.equal(names.ofTag('{5}'), 'app:{5}')
  t.equal(names.ofChannel(), 'app:endings')
  t.equal(names.ofIndex('"ada\\ud800"'), 'app:owner:javy8PKF4DV_zQrqbz3Kz0-bLmmeVwO9y451UIkM_KQ')
})
