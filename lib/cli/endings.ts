import type { SessionStore } from '../../types/store.ts'
import { Endings } from '../endings/endings.ts'

/** Runs `use` with what tells the processes of the application which sessions end. They have heard it when this resolves. */
export async function withEndings<T>(store: SessionStore, use: (endings: Endings) => Promise<T>): Promise<T> {
  const endings = new Endings('', store)
  try {
    return await use(endings)
  } finally {
    await endings.close()
  }
}
