import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { FileStore } from '../stores/file/index.ts'
import { usageError } from './cli-error.ts'
import type { OpenedStore, StoreAddress } from './opened-store.ts'

/** Opens the store in a directory. */
export function openFile({ address, mayCreate, clock }: StoreAddress): OpenedStore {
  if (!mayCreate && !existsSync(join(address, 'sessions'))) {
    throw usageError('--store names a directory that is not one of a FileStore: it has no directory sessions.')
  }
  const store = new FileStore({ directory: address, pruneInterval: 0, clock })
  return { store, prune: () => store.prune(), close: () => store.close() }
}
