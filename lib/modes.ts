import { EncryptedCodec } from './codec/encrypted.ts'
import { SignedCodec } from './codec/signed.ts'
import { deriveKeys } from './keys.ts'
import type { Settings } from './options.ts'
import type { RandomPool } from './random.ts'
import { ByValue } from './transport/by-value.ts'
import type { Transport } from './transport/transport.ts'

/** The table of modes: which transport carries a session, and which codec seals its cookie. */
export function createTransport(settings: Settings, random: RandomPool): Transport {
  const { secrets, cookieName } = settings
  const codec = settings.encrypt
    ? new EncryptedCodec(deriveKeys(secrets, 'encrypted'), cookieName, random)
    : new SignedCodec(deriveKeys(secrets, 'signed'), cookieName)
  return new ByValue(codec, cookieName)
}
