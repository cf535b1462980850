import type { KeyPurpose, SessionKey } from '../crypto/keys.ts'
import { deriveKeys } from '../crypto/keys.ts'
import type { RandomPool } from '../crypto/random.ts'
import type { XChaCha20Poly1305 } from '../crypto/xchacha.ts'
import type { Announce } from '../endings/endings.ts'
import { EncryptedFormat } from '../format/encrypted.ts'
import type { CookieFormat } from '../format/format.ts'
import { ReferenceFormat } from '../format/reference.ts'
import { MemberSeal } from '../format/sealed-member.ts'
import { SignedFormat } from '../format/signed.ts'
import type { Settings } from '../options.ts'
import type { AdoptionMarks } from '../owners/adoption-marks.ts'
import { NO_MARKS, StoredMarks } from '../owners/adoption-marks.ts'
import type { Revocations } from '../revocations/revocations.ts'
import { RevokedMarks } from '../revocations/revoked-marks.ts'
import { GuardedStore } from '../stores/guarded.ts'
import { SEALED_SCALE, SealedStore } from '../stores/sealed.ts'
import { secondsOf } from './clock.ts'
import { CookieTransport } from './cookie.ts'
import { RevocableTransport } from './revocable.ts'
import { JSON_SCALE } from './size-limit.ts'
import { StoreTransport } from './store.ts'
import type { Transport } from './transport.ts'

/**
 * The table of modes: which transport carries a session, and which format its cookie has. `cipher`: with the option `encrypt`, so
 * that nobody else loads it. `announce`: gets the sessions that end.
 */
export function createTransport(
  settings: Settings,
  store: GuardedStore | undefined,
  random: RandomPool,
  cipher?: XChaCha20Poly1305,
  revocations?: Revocations,
  announce?: Announce
): Transport {
  const { cookieName } = settings
  const keys = (purpose: KeyPurpose): SessionKey[] => deriveKeys(settings.secrets, purpose)
  if (store !== undefined) {
    const scale = cipher === undefined ? JSON_SCALE : SEALED_SCALE
    const format = new ReferenceFormat(keys('reference'), cookieName)
    return new StoreTransport(format, store, { ...settings, scale }, random, announce)
  }
  const ours = (): CookieFormat =>
    cipher === undefined
      ? new SignedFormat(keys('signed'), cookieName)
      : new EncryptedFormat(keys('encrypted'), cookieName, random, cipher)
  const format = settings.format?.create(cookieName) ?? ours()
  return revocations === undefined
    ? new CookieTransport(format, settings, random, announce)
    : new RevocableTransport(format, settings, random, revocations)
}

/** The store of the settings as everything uses it. `cipher`: see `createTransport`; then the store gets no value in plain text. */
export function createStore(
  { store, storeTimeout, secrets }: Settings,
  random: RandomPool,
  cipher?: XChaCha20Poly1305
): GuardedStore | undefined {
  if (store === undefined) return undefined
  const seal = cipher && new MemberSeal(deriveKeys(secrets, 'member'), random, cipher)
  return new GuardedStore(seal === undefined ? store : new SealedStore(store, seal), storeTimeout)
}

/** Where a mode remembers which sessions of other libraries have become sessions of ours. */
export function createMarks(
  { clock }: Settings,
  store: GuardedStore | undefined,
  revocations: Revocations | undefined
): AdoptionMarks {
  if (store !== undefined) return new StoredMarks(store, secondsOf(clock))
  return revocations === undefined ? NO_MARKS : new RevokedMarks(revocations)
}
