import { quoteTable, readTable as readMySqlTable } from '../stores/mysql/options.ts'
import { migrationsFrom as mySqlMigrationsFrom } from '../stores/mysql/table.ts'
import { readTable as readPostgresTable } from '../stores/postgres/options.ts'
import { migrationsFrom } from '../stores/postgres/table.ts'
import { readTable as readSqliteTable } from '../stores/sqlite/options.ts'
import { tableSql } from '../stores/sqlite/statements.ts'
import { usageError } from './cli-error.ts'
import type { Command, Values } from './context.ts'
import { STORE_OPTIONS, withStore } from './with-store.ts'

/** The statements that create the table, by the name of the database. */
const PRINTERS: Readonly<Record<string, (names: Names) => readonly string[]>> = {
  postgres: (names) => migrationsFrom(0, readPostgresTable(names)),
  mysql: (names) => mySqlMigrationsFrom(0, quoteTable(readMySqlTable(names))),
  sqlite: (names) => [tableSql(readSqliteTable(names))]
}

const KNOWN = Object.keys(PRINTERS).join(', ')

interface Names {
  readonly table: string | undefined
  readonly schema: string | undefined
}

/** Creates the table of a store, or updates it; with `--print` it prints the statements for a new one. */
export const migrate: Command = {
  options: { ...STORE_OPTIONS, print: { type: 'boolean' } },
  async run(positionals, values, context) {
    if (values.print === true) {
      context.log(print(positionals, values))
      return 0
    }
    if (positionals.length > 0) throw usageError('migrate takes no argument without --print.')
    return withStore(values, context, true, async ({ migrate: run }) => {
      await run?.()
      context.log(run === undefined ? 'This store has no table. There is nothing to do.' : 'The table is up to date.')
      return 0
    })
  }
}

function print(databases: readonly string[], { table, schema }: Values): string {
  const chosen = databases.length > 0 ? databases : Object.keys(PRINTERS)
  return chosen
    .map((database) => {
      const statements = Object.hasOwn(PRINTERS, database) ? PRINTERS[database] : undefined
      if (statements === undefined) throw usageError(`--print takes ${KNOWN}.`)
      const sql = statements({ table, schema } as Names).map((statement) => `${dedent(statement)};`)
      return [`-- ${database}`, ...sql].join('\n')
    })
    .join('\n\n')
}

/** Without the indentation that the text has in its source. */
function dedent(text: string): string {
  const [, indentation = ''] = /^\n( *)/.exec(text) ?? []
  return text.trim().replaceAll(`\n${indentation}`, '\n')
}
