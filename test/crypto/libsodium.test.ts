import { createRequire } from 'node:module'
import t from 'tap'
import { instantiateLibsodium } from '../../lib/crypto/libsodium.ts'

const require = createRequire(import.meta.url)

/** The functions that are called, with the number of their arguments in C: a 64-bit length counts twice. */
const FUNCTIONS = {
  _sodium_init: 0,
  _malloc: 1,
  _free: 1,
  _crypto_aead_xchacha20poly1305_ietf_encrypt: 11,
  _crypto_aead_xchacha20poly1305_ietf_decrypt: 11,
  _crypto_secretbox_open_easy: 6
} as const

t.test('the version is the one whose raw functions were checked', async (t) => {
  const own = require('../../package.json') as { dependencies: Record<string, string> }
  t.match(own.dependencies.libsodium, /^\d+\.\d+\.\d+$/, 'exact: its raw functions are not documented')
  const [folder] = require.resolve.paths('libsodium') ?? []
  t.ok(folder)
  const installed = require(`${require.resolve('libsodium').split('/dist/')[0]}/package.json`) as { version: string }
  t.equal(installed.version, own.dependencies.libsodium)
})

t.test('the functions are there, with as many arguments as they are called with', async (t) => {
  const sodium = await instantiateLibsodium()
  for (const [name, count] of Object.entries(FUNCTIONS)) {
    const { [name as keyof typeof FUNCTIONS]: called } = sodium
    t.type(called, 'function', name)
    t.equal(called.length, count, name)
  }
  t.type(sodium.HEAPU8, Uint8Array)
})

t.test('one that cannot be initialised is an error', async (t) => {
  const broken = { ...(await instantiateLibsodium()), _sodium_init: () => -1 }
  await t.rejects(
    instantiateLibsodium(async () => ({ default: async () => broken })),
    /could not be initialised/
  )
})

t.test('each instance has memory of its own', async (t) => {
  const [one, other] = [await instantiateLibsodium(), await instantiateLibsodium()]
  t.not(one.HEAPU8.buffer, other.HEAPU8.buffer)
})
