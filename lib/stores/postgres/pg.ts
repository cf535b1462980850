import type { PostgresClient, PostgresPool } from './clients.ts'
import type { Driver, Query } from './driver.ts'
import { inOrder } from './driver.ts'
import { hear } from './subscription.ts'
import { isTransient } from './transient.ts'

/** Asks a database through a `Pool` of `pg`. */
export function fromPg(pool: PostgresPool): Driver {
  const transact = <T>(run: (query: Query) => Promise<T>, assertInTime: () => void): Promise<T> => {
    const work = async (query: Query): Promise<T> => {
      assertInTime()
      await query('BEGIN ISOLATION LEVEL READ COMMITTED')
      const result = await run(query)
      assertInTime()
      await query('COMMIT')
      return result
    }
    // PostgreSQL rolls a transaction back when its connection ends, whatever state it is in.
    return use(pool, work, () => false)
  }
  return {
    use: (run) => use(pool, run, isTransient),
    batch: (statements, assertInTime) => transact((query) => inOrder(query, statements), assertInTime),
    transact: (run) => transact(run, ignore),
    hear: (channel, onMessage, onLost) => hear(pool, channel, onMessage, onLost)
  }
}

/** Takes a connection, and gives it back. `survives`: whether the connection can be used after an error. */
async function use<T>(
  pool: PostgresPool,
  run: (query: Query) => Promise<T>,
  survives: (error: unknown) => boolean
): Promise<T> {
  const client = await pool.connect()
  // A connection that breaks between two queries emits an event, which ends the process if it has no listener. The next query
  // reports the failure.
  client.on('error', ignore)
  let isUsed = false
  const query: Query = (text, values) => {
    isUsed = true
    return client.query(text, values as unknown[] | undefined)
  }
  try {
    const result = await run(query)
    giveBack(client, true)
    return result
  } catch (error) {
    giveBack(client, !isUsed || survives(error))
    throw error
  }
}

function giveBack(client: PostgresClient, isUsable: boolean): void {
  if (isUsable) client.removeListener('error', ignore)
  client.release(!isUsable)
}

function ignore(): void {}
