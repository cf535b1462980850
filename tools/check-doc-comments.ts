// Fails when something public has no doc comment, or no `@example` where one applies. `npm run lint` runs it.
import { join } from 'node:path'
import type { Exemptions } from './doc-comments.ts'
import { findProblems } from './doc-comments.ts'

const EXEMPTIONS: Exemptions = {
  BinaryIoredis: 'a part of a client of ioredis, which documents it',
  BinaryNodeRedis: 'a part of a client of node-redis, which documents it',
  AnyApp: 'a part of FastifyInstance, which Fastify documents',
  ExpressSessionStore: 'a part of the stores of express-session, which documents it',
  OldKeygrip: 'a part of keygrip, which documents it',
  OldSessionStore: 'a part of the stores of express-session, which documents it',
  GuardReply: 'a part of FastifyReply, which Fastify documents',
  InjectableApp: 'a part of FastifyInstance, which Fastify documents',
  InspectableRequest: 'a part of FastifyRequest, which Fastify documents',
  IoredisClient: 'a part of a client of ioredis, which documents it',
  MySqlConnection: 'a part of a connection of mysql2, which documents it',
  MySqlPool: 'a part of a pool of mysql2, which documents it',
  MySqlStatement: 'a part of a statement of mysql2, which documents it',
  NodeRedisClient: 'a part of a client of node-redis, which documents it',
  PGliteDatabase: 'a part of a PGlite, which documents it',
  PGliteRunner: 'a part of a PGlite, which documents it',
  PostgresClient: 'a part of a client of pg, which documents it',
  PostgresJsRunner: 'a part of a client of postgres.js, which documents it',
  PostgresJsSql: 'a part of a client of postgres.js, which documents it',
  PostgresPool: 'a part of a pool of pg, which documents it',
  PostgresResult: 'a part of a result of pg, which documents it',
  ReplyWithCookies: 'a part of what fetch and inject return, which document it',
  SqliteDatabase: 'a part of a database of node:sqlite and better-sqlite3, which document it',
  SqliteStatement: 'a part of a statement of node:sqlite and better-sqlite3, which document it',
  StoreConstructor: 'a class that express-session documents',
  ValkeyGlideClient: 'a part of a client of valkey-glide, which documents it'
}

const problems = findProblems(join(import.meta.dirname, '..'), EXEMPTIONS)
if (problems.length > 0) {
  console.error(`${problems.join('\n')}\n\n${problems.length} problems with doc comments.`)
  process.exitCode = 1
}
