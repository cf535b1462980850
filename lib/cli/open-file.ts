import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { walk } from '../stores/file/disk.ts'
import { FileStore } from '../stores/file/index.ts'
import { isFileName, toKey } from '../stores/file/names.ts'
import { usageError } from './cli-error.ts'
import { endEvery } from './end-every.ts'
import type { OpenedStore, StoreAddress } from './opened-store.ts'

/** Opens the store in a directory. */
export function openFile({ address, mayCreate, clock }: StoreAddress): OpenedStore {
  const sessions = join(address, 'sessions')
  if (!mayCreate && !existsSync(sessions)) {
    throw usageError('--store names a directory that is not one of a FileStore: it has no directory sessions.')
  }
  const store = new FileStore({ directory: address, pruneInterval: 0, clock })
  const keys = async function* (): AsyncGenerator<string> {
    for await (const name of walk(sessions, isFileName)) yield toKey(name)
  }
  return {
    store,
    prune: () => store.prune(),
    endAll: () => endEvery(store, keys),
    close: () => store.close()
  }
}
