import { InvalidOptionError } from '../../errors.ts'
import type { PostgresClient, PostgresPool } from './clients.ts'

const LOSSES = ['error', 'end'] as const

/** What a connection of `pg` tells besides. */
interface Notifying extends PostgresClient {
  on(event: string, listener: (...values: never[]) => void): unknown
}

/**
 * Hears what is sent to a channel, on a connection of the pool that is kept for it, until the function is called that it returns.
 * `channel`: a statement that returns its name. `onLost`: it hears no more. Throws for a pool of one connection, which then nobody else could use.
 */
export async function hear(
  pool: PostgresPool,
  channel: string,
  onMessage: (message: string) => void,
  onLost: () => void
): Promise<() => void> {
  if (sizeOf(pool) < 2) throw new InvalidOptionError('The pool has one connection only, and listening takes one.')
  const client = (await pool.connect()) as Notifying
  let isOver = false
  const end = (): void => {
    if (isOver) return
    isOver = true
    // Not back into the pool: whoever got it next would hear, too.
    client.release(true)
  }
  const lose = (): void => {
    if (isOver) return
    end()
    onLost()
  }
  // After the end, too: an error without a listener would end the process.
  for (const event of LOSSES) client.on(event, lose)
  try {
    const { rows } = await client.query(channel)
    const [{ channel: name }] = rows as [{ channel: string }]
    client.on('notification', (message: { channel: string; payload?: string }) => {
      if (!isOver && message.channel === name) onMessage(message.payload as string)
    })
    await client.query(`LISTEN ${name}`)
  } catch (error) {
    end()
    throw error
  }
  return end
}

/** Not known of a pool that only looks like one of `pg`. */
function sizeOf(pool: PostgresPool): number {
  const { options } = pool as { readonly options?: { readonly max?: number } }
  return options?.max ?? Number.POSITIVE_INFINITY
}
