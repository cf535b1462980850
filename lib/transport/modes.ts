import type { SessionStore } from '../../types/store.ts'
import type { KeyPurpose, SessionKey } from '../crypto/keys.ts'
import { deriveKeys } from '../crypto/keys.ts'
import type { RandomPool } from '../crypto/random.ts'
import { EncryptedCodec } from '../format/encrypted.ts'
import { ReferenceCodec } from '../format/reference.ts'
import { SignedCodec } from '../format/signed.ts'
import type { Settings } from '../options.ts'
import { ByValue } from './cookie.ts'
import { ByReference } from './store.ts'
import type { Transport } from './transport.ts'

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
