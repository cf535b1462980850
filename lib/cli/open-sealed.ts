import type { SessionStore } from '../../types/store.ts'
import { deriveKeys } from '../crypto/keys.ts'
import { RandomPool } from '../crypto/random.ts'
import { loadXChaCha } from '../crypto/xchacha.ts'
import { isSealed } from '../format/extensions.ts'
import type { Sealing } from '../format/sealed-member.ts'
import { MemberSeal } from '../format/sealed-member.ts'
import { SealedStore } from '../stores/sealed.ts'
import { CliError } from './cli-error.ts'
import type { CliContext, Command, Values } from './context.ts'
import { readSecrets } from './read-secrets.ts'

/** The options of a command that reads what a server may have sealed. */
export const SECRET_OPTIONS: Command['options'] = { 'secret-file': { type: 'string', multiple: true } }

/**
 * Returns a store whose records are readable, whether the server has sealed them or not: who runs a command can write to the store in
 * any case. What does not open throws a `CliError` when it is read.
 */
export async function openSealed(store: SessionStore, values: Values, { env }: CliContext): Promise<SessionStore> {
  const secrets = await readSecrets((values['secret-file'] ?? []) as readonly string[], env)
  const seal =
    secrets.length === 0
      ? undefined
      : new MemberSeal(deriveKeys(secrets, 'member'), new RandomPool(), await loadXChaCha())
  const refuse = (): never => {
    throw new CliError(
      'The data of this session are encrypted, and they say which remembered login ends with it. Set SESSION_SECRET to the key of the server, or revoke all sessions of the owner.',
      1
    )
  }
  const sealing: Sealing = {
    seal: refuse,
    open: (place, name, sealed) => seal?.open(place, name, sealed) ?? refuse(),
    isCurrent: () => true
  }
  return new SealedStore(store, sealing, ({ extensions }) => isSealed(extensions))
}
