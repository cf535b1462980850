import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RedisStore } from 'connect-redis'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import type { Redis } from 'ioredis'
import type * as Tap from 'tap'
import { cookieSession } from '../../lib/adopt/cookie-session.ts'
import { expressSession } from '../../lib/adopt/express-session.ts'
import { fastifySession } from '../../lib/adopt/fastify-session.ts'
import { ironSession } from '../../lib/adopt/iron-session.ts'
import { secureSession } from '../../lib/adopt/secure-session.ts'
import type { OldSessionStore } from '../../lib/adopt/stored-reader.ts'
import type { AdoptOptions, SessionReader } from '../../types/adopt.ts'

// Not imported: their types declare `request.session`, each as its own.
const require = createRequire(import.meta.url)

const OLD_SECRET = 'the secret of the other library, 1234567'
const OLDER_SECRET = 'the secret that it had before, 123456789'
const OLD_KEY: Buffer = Buffer.alloc(32, 7)
const OLDER_KEY: Buffer = Buffer.alloc(32, 8)
const SECRETS = [OLD_SECRET, OLDER_SECRET]
const KEYS = [OLD_KEY, OLDER_KEY]

interface OldData {
  userId?: number
  visits?: number
}

type Middleware = (request: IncomingMessage, reply: ServerResponse, next: (error?: unknown) => void) => void

/** What a middleware finds in a request. */
type OldRequest = IncomingMessage & { session: OldData & { destroy(done: (error?: unknown) => void): void } }

/** An application with another library, and the reader of its sessions. */
interface OldApp {
  readonly app: FastifyInstance
  readonly reader: (options?: AdoptOptions<OldData, OldData>) => SessionReader
  /** Returns how many records the library has. */
  readonly count: () => Promise<number>
}

/** One of the libraries that people come from. */
export interface OldLibraryCase {
  readonly library: string
  readonly cookieName: string
  /** Whether it keeps records. */
  readonly isStored: boolean
  /** Whether a cookie, or what the library reads of a record, says when it ends. */
  readonly hasEnd: boolean
  /** `isOlder`: whether it has only the key that the reader has as the older one. */
  readonly create: (t: Tap.Test, isOlder?: boolean) => Promise<OldApp>
}

/** `redis`: where those with Redis keep their records. */
export function oldLibraries(redis: Redis | undefined): readonly OldLibraryCase[] {
  const express = { cookieName: 'connect.sid', isStored: true, hasEnd: false }
  const inCookie = { cookieName: 'old', isStored: false }
  return [
    { library: '@fastify/session', cookieName: 'sessionId', isStored: true, hasEnd: true, create: fastifySessionApp },
    { library: '@fastify/secure-session', ...inCookie, hasEnd: true, create: secureSessionApp },
    {
      library: 'express-session',
      ...express,
      create: async (_t, isOlder) => expressApp(new (require('express-session').MemoryStore)(), isOlder)
    },
    {
      library: 'express-session with files',
      ...express,
      create: async (t, isOlder) => expressApp(fileStore(t), isOlder)
    },
    ...(redis === undefined
      ? []
      : [
          {
            library: 'express-session with connect-redis',
            ...express,
            create: async (_t: Tap.Test, isOlder?: boolean) => expressApp(await redisStore(redis), isOlder)
          }
        ]),
    {
      library: 'cookie-session',
      ...inCookie,
      hasEnd: false,
      create: async (_t, isOlder) => cookieSessionApp(isOlder)
    },
    { library: 'iron-session', ...inCookie, hasEnd: true, create: async (_t, isOlder) => ironApp(isOlder) }
  ]
}

/** The keys of an application: the newest first, or the one that was the newest before. */
function some<T>(all: readonly T[], isOlder: boolean): T[] {
  return isOlder ? all.slice(1) : [...all]
}

async function fastifySessionApp(_t: Tap.Test, isOlder = false): Promise<OldApp> {
  const { default: plugin, MemoryStore } = require('fastify-session')
  const records = new Map()
  const store = new MemoryStore(records)
  const app = fastify()
  await app.register(require('@fastify/cookie'))
  await app.register(plugin, {
    secret: some(SECRETS, isOlder),
    store,
    cookie: { secure: false, maxAge: 3_600_000 },
    saveUninitialized: false
  })
  type Stored = { get(key: string): unknown; set(key: string, value: unknown): void; destroy(): Promise<void> }
  addRoutes(app, (request) => {
    const session = (request as unknown as { session: Stored }).session
    return {
      data: session as OldData,
      save: async (data) => {
        for (const [key, value] of Object.entries(data)) session.set(key, value)
      },
      end: async () => session.destroy()
    }
  })
  return {
    app,
    reader: (options = {}) => fastifySession({ secret: SECRETS, store, ...options }),
    count: async () => records.size
  }
}

async function secureSessionApp(_t: Tap.Test, isOlder = false): Promise<OldApp> {
  const app = fastify()
  await app.register(require('fastify-secure-session'), {
    key: some(KEYS, isOlder),
    cookieName: 'old',
    expiry: 3600,
    cookie: { path: '/' }
  })
  type Secure = { data(): OldData; set(key: string, value: unknown): void; delete(): void }
  addRoutes(app, (request) => {
    const session = (request as unknown as { session: Secure }).session
    return {
      data: session.data(),
      save: async (data) => {
        for (const [key, value] of Object.entries(data)) session.set(key, value)
      },
      end: async () => session.delete()
    }
  })
  return {
    app,
    reader: (options = {}) => secureSession({ key: KEYS, cookieName: 'old', expiry: 3600, ...options }),
    count: async () => 0
  }
}

function expressApp(
  store: OldSessionStore & { length?(done: (error: unknown, count: number) => void): void },
  isOlder = false
): OldApp {
  const library = require('express-session')
  const middleware = library({
    secret: some(SECRETS, isOlder),
    store,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 3_600_000 }
  })
  return {
    app: middlewareApp(middleware, (request) => new Promise((resolve) => request.session.destroy(resolve))),
    reader: (options = {}) => expressSession({ secret: SECRETS, store, ...options }),
    count: () => new Promise((resolve) => store.length?.((_error, count) => resolve(count)))
  }
}

function fileStore(t: Tap.Test): OldSessionStore {
  const folder = mkdtempSync(join(tmpdir(), 'old-sessions-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const FileStore = require('session-file-store')(require('express-session'))
  return new FileStore({ path: folder, retries: 0, reapInterval: -1, logFn: () => {} })
}

async function redisStore(redis: Redis): Promise<OldSessionStore> {
  const { RedisStore: Store } = await import('connect-redis')
  await redis.flushall()
  return new Store({ client: toNodeRedis(redis) as never }) as RedisStore as unknown as OldSessionStore
}

/** What `connect-redis` calls of the client of node-redis. */
function toNodeRedis(redis: Redis): object {
  return {
    get: (key: string) => redis.get(key),
    set: (key: string, value: string, { expiration }: { expiration: { value: number } }) =>
      redis.set(key, value, 'EX', expiration.value),
    del: (keys: string[]) => redis.del(...keys),
    expire: (key: string, seconds: number) => redis.expire(key, seconds),
    async *scanIterator() {
      yield await redis.keys('sess:*')
    }
  }
}

function cookieSessionApp(isOlder = false): OldApp {
  const middleware = require('cookie-session')({ keys: some(SECRETS, isOlder), name: 'old', maxAge: 3_600_000 })
  return {
    app: middlewareApp(middleware, async (request) => {
      Object.assign(request, { session: null })
    }),
    reader: (options = {}) => cookieSession({ keys: SECRETS, name: 'old', ...options }),
    count: async () => 0
  }
}

async function ironApp(isOlder = false): Promise<OldApp> {
  const { getIronSession } = await import('iron-session')
  const settings = {
    password: isOlder ? { 1: OLDER_SECRET } : { 1: OLDER_SECRET, 2: OLD_SECRET },
    cookieName: 'old',
    ttl: 3600,
    cookieOptions: { secure: false }
  }
  const app = fastify()
  app.get('/:action', async (request, reply) => {
    const session = await getIronSession<OldData>(request.raw, reply.raw, settings)
    const { action } = request.params as { action: string }
    const before = { ...session }
    if (action === 'login') Object.assign(session, { userId: 7, visits: 1 })
    if (action === 'login') await session.save()
    if (action === 'logout') session.destroy()
    reply.hijack()
    reply.raw.setHeader('content-type', 'application/json')
    reply.raw.end(JSON.stringify(before))
  })
  return {
    app,
    reader: (options = {}) =>
      ironSession({ password: { 1: OLDER_SECRET, 2: OLD_SECRET }, cookieName: 'old', ttl: 3600, ...options }),
    count: async () => 0
  }
}

interface Handle {
  readonly data: OldData
  save(data: OldData): Promise<void>
  end(): Promise<void>
}

/** The routes of every old application. Each answers with the data that the session had. */
function addRoutes(app: FastifyInstance, handleOf: (request: FastifyRequest) => Handle): void {
  const visible = ({ userId, visits }: OldData): OldData => JSON.parse(JSON.stringify({ userId, visits }))
  app.get('/me', async (request) => visible(handleOf(request).data))
  app.get('/login', async (request) => {
    const handle = handleOf(request)
    const before = visible(handle.data)
    await handle.save({ userId: 7, visits: 1 })
    return before
  })
  app.get('/logout', async (request) => {
    const handle = handleOf(request)
    const before = visible(handle.data)
    await handle.end()
    return before
  })
}

function middlewareApp(middleware: Middleware, end: (request: OldRequest) => Promise<unknown>): FastifyInstance {
  const app = fastify()
  app.get('/:action', (request, reply) => {
    reply.hijack()
    const [raw, response] = [request.raw as OldRequest, reply.raw]
    middleware(raw, response, async (error) => {
      if (error) throw error
      const { action } = request.params as { action: string }
      const { userId, visits } = raw.session
      if (action === 'login') Object.assign(raw.session, { userId: 7, visits: 1 })
      if (action === 'logout') await end(raw)
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ userId, visits }))
    })
  })
  return app
}
