import t from 'tap'
import { importPeer } from '../../lib/adopt/import-peer.ts'

t.test('a package that is there', async (t) => {
  t.equal(await importPeer(async () => 7, 'some-package', 'version 2', 'someReader'), 7)
})

t.test('one that is not is named, with what to do', async (t) => {
  const cause = new Error('not found')
  const load = async (): Promise<never> => {
    throw cause
  }
  await t.rejects(importPeer(load, 'some-package', 'version 2', 'someReader'), {
    code: 'ERR_SESSION_PEER_MISSING',
    message:
      'someReader() needs the package some-package, version 2, which cannot be imported. Run `npm install some-package`.',
    cause
  })
})
