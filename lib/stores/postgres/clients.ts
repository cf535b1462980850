/** The part of a query's result that the store reads. */
export interface PostgresResult {
  readonly rows: readonly unknown[]
  readonly rowCount: number | null
}

/** The part of a connection of a `Pool` of `pg` that the store uses. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<PostgresResult>
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
  release(destroy?: boolean): void
}

/** The part of a `Pool` of `pg` that the store uses. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>
}

/** What runs statements of postgres.js. */
export interface PostgresJsRunner {
  unsafe(
    text: string,
    values: (string | number | boolean | null)[],
    options: { prepare: boolean }
  ): PromiseLike<readonly unknown[]>
}

/** The part of what `postgres()` of postgres.js returns that the store uses. */
export interface PostgresJsSql extends PostgresJsRunner {
  readonly options: { readonly transform: object }
  begin(options: string, run: (sql: PostgresJsRunner) => Promise<unknown>): Promise<unknown>
  listen(
    channel: string,
    onMessage: (message: string) => void,
    onListen: () => void
  ): PromiseLike<{ unlisten(): Promise<unknown> }>
}

/** What runs statements of PGlite. */
export interface PGliteRunner {
  query(
    text: string,
    values: unknown[]
  ): Promise<{ readonly rows: readonly unknown[]; readonly affectedRows?: number | undefined }>
  exec(text: string): Promise<readonly { readonly rows: readonly unknown[] }[]>
}

/** The part of a `PGlite` that the store uses. */
export interface PGliteDatabase extends PGliteRunner {
  transaction(run: (runner: PGliteRunner) => Promise<unknown>): Promise<unknown>
  listen(channel: string, onMessage: (message: string) => void): Promise<() => Promise<unknown>>
}
