import { fileURLToPath } from 'node:url'
import { isSessionError } from '../errors.ts'
import { CliError, usageError } from './cli-error.ts'
import type { CliContext, Command, Values } from './context.ts'
import { openFile } from './open-file.ts'
import { openMySql } from './open-mysql.ts'
import { openPostgres } from './open-postgres.ts'
import { openRedis } from './open-redis.ts'
import { openSqlite } from './open-sqlite.ts'
import type { OpenedStore, StoreAddress } from './opened-store.ts'
import { reasonOf } from './reason-of.ts'

/** The options of every command that opens a store. */
export const STORE_OPTIONS: Command['options'] = {
  store: { type: 'string' },
  table: { type: 'string' },
  schema: { type: 'string' },
  prefix: { type: 'string' }
}

type Open = (address: StoreAddress) => OpenedStore | Promise<OpenedStore>

/** By the scheme of `--store`, with the options beside it that mean something there. */
const KINDS: Readonly<Record<string, { readonly open: Open; readonly takes: readonly string[] }>> = {
  sqlite: { open: openSqlite, takes: ['table'] },
  file: { open: openFile, takes: [] },
  redis: { open: openRedis, takes: ['prefix'] },
  rediss: { open: openRedis, takes: ['prefix'] },
  postgres: { open: openPostgres, takes: ['table', 'schema'] },
  postgresql: { open: openPostgres, takes: ['table', 'schema'] },
  mysql: { open: openMySql, takes: ['table', 'schema'] },
  mariadb: { open: openMySql, takes: ['table', 'schema'] }
}

const FORMS =
  'sqlite:sessions.db, file:sessions, redis://localhost, postgres://user@localhost/shop, or mysql://user@localhost/shop'

/**
 * Opens the store that `--store` names, or else `SESSION_STORE`, for as long as `use` runs. `mayCreate`: whether it may create a
 * file or a directory. Errors never show the address, which may contain a password.
 */
export async function withStore(
  values: Values,
  { env, clock }: CliContext,
  mayCreate: boolean,
  use: (opened: OpenedStore) => Promise<number>
): Promise<number> {
  const { open, address } = readAddress(values, env, clock, mayCreate)
  try {
    const opened = await open(address)
    try {
      return await use(opened)
    } finally {
      await opened.close()
    }
  } catch (error) {
    if (error instanceof CliError || isSessionError(error)) throw error
    throw new CliError(`The store failed: ${reasonOf(error)}`, 1)
  }
}

function readAddress(
  values: Values,
  env: CliContext['env'],
  clock: () => number,
  mayCreate: boolean
): { open: Open; address: StoreAddress } {
  const given = values.store ?? env.SESSION_STORE
  if (given === undefined || given === '') throw usageError(`Say which store by --store or SESSION_STORE: ${FORMS}.`)
  const [, scheme = '', rest = ''] = /^([a-z]+):(.+)$/i.exec(String(given)) ?? []
  const kind = Object.hasOwn(KINDS, scheme) ? KINDS[scheme] : undefined
  if (kind === undefined) throw usageError(`--store must have one of these forms: ${FORMS}.`)
  const wrong = ['table', 'schema', 'prefix'].find((name) => values[name] !== undefined && !kind.takes.includes(name))
  if (wrong !== undefined) throw usageError(`--${wrong} means nothing for a store of the form ${scheme}:.`)
  const text = (name: string): string | undefined => values[name] as string | undefined
  return {
    open: kind.open,
    address: {
      address: scheme === 'sqlite' || scheme === 'file' ? toPath(scheme, rest) : String(given),
      table: text('table'),
      schema: text('schema'),
      prefix: text('prefix'),
      mayCreate,
      clock
    }
  }
}

/** `file:///var/sessions` is a URL; `file:sessions` and `file:/var/sessions` are a path behind the scheme. */
function toPath(scheme: string, rest: string): string {
  if (!rest.startsWith('//')) return rest
  try {
    return fileURLToPath(`file:${rest}`)
  } catch {
    throw usageError(
      `--store has no path behind ${scheme}://. Write ${scheme}:path, or ${scheme}:///path from the root.`
    )
  }
}
