// Stands for the declarations of node:sqlite: this package is compiled with the types of a Node.js that has none.
import type { SqliteDatabase } from 'fastify-typed-session/stores/sqlite'

export declare const DatabaseSync: new (path: string) => SqliteDatabase
