import type { SessionStore } from '../types/store.ts'
import { EncryptedCodec } from './codec/encrypted.ts'
import { ReferenceCodec } from './codec/reference.ts'
import { SignedCodec } from './codec/signed.ts'
import type { KeyPurpose, SessionKey } from './keys.ts'
import { deriveKeys } from './keys.ts'
import type { Settings } from './options.ts'
import type { RandomPool } from './random.ts'
import { ByReference } from './transport/by-reference.ts'
import { ByValue } from './transport/by-value.ts'
import type { Transport } from './transport/transport.ts'

/** The table of modes: which transport carries a session, and which codec seals its cookie. */
export function createTransport(settings: Settings, store: SessionStore | undefined, random: RandomPool): Transport {
  const { cookieName } = settings
  const keys = (purpose: KeyPurpose): SessionKey[] => deriveKeys(settings.secrets, purpose)
  if (store !== undefined) {
    return new ByReference(new ReferenceCodec(keys('reference'), cookieName), store, settings, random)
  }
  const codec = settings.encrypt
    ? new EncryptedCodec(keys('encrypted'), cookieName, random)
    : new SignedCodec(keys('signed'), cookieName)
  return new ByValue(codec, cookieName, random)
}
