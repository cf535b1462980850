import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import fastify from 'fastify'
import type {
  CommonSessionOptions,
  CookieAttributes,
  LimitedSessionOptions,
  RevocableSessionOptions,
  RevocationList,
  SessionEvent,
  SessionOptions,
  SessionStore
} from '../../lib/index.ts'
import { MemoryStore, session } from '../../lib/index.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { RecordingStore } from './recording-store.ts'
import './session-data.ts'

export const SECRET = 'correct horse battery staple 0123456789'
export const OTHER_SECRET = 'an old key that signed cookies last year'

type Others = Omit<LimitedSessionOptions, 'store' | 'encrypt' | keyof Lists> & Lists
type Lists = Pick<RevocableSessionOptions, 'maxStaleness' | 'onStale'> & { revocations: RevocationList }

/** The plugin's options without the rules of its types. `store` may be a function that receives the application's clock. */
export type LooseOptions = Partial<CommonSessionOptions & Others> & {
  encrypt?: boolean
  cookieName?: string
  cookie?: CookieAttributes
  store?: SessionStore | ((clock: () => number) => SessionStore)
}

/** A mode of the plugin. */
export interface Mode {
  readonly mode: 'signed' | 'encrypted' | 'stored' | 'remotely stored'
  readonly options: LooseOptions
  /** Whether the cookie holds the data. Then every change sends a cookie, and a copy stays valid. */
  readonly isSelfContained: boolean
}

/** The modes in which every story runs. */
export const MODES: readonly Mode[] = [
  { mode: 'signed', options: {}, isSelfContained: true },
  { mode: 'encrypted', options: { encrypt: true }, isSelfContained: true },
  { mode: 'stored', options: { store: (clock) => new MemoryStore({ clock }) }, isSelfContained: false },
  // With a store that answers asynchronously, as a remote one does.
  {
    mode: 'remotely stored',
    options: { store: (clock) => new RecordingStore(new MemoryStore({ clock })) },
    isSelfContained: false
  }
]

/** Returns options with which several applications share one store. */
export function withOneStore(options: LooseOptions): LooseOptions {
  const { store } = options
  if (typeof store !== 'function') return options
  let made: SessionStore | undefined
  return {
    ...options,
    store: (clock) => {
      made ??= store(clock)
      return made
    }
  }
}

/** The time at which the clocks of tests start: a full second. */
export const START: Date = new Date(1_763_640_000_000)

interface LogLine {
  level: number
  msg: string
  reason?: string
  session?: { phase: string; reason: string }
}

export interface TestApp {
  app: FastifyInstance
  clock: FakeClock
  /** The log of the application, from level debug on. */
  logs: LogLine[]
  warnings(): LogLine[]
}

/** Creates an application with only the plugin. */
export async function createApp(options: LooseOptions = {}, server: FastifyServerOptions = {}): Promise<TestApp> {
  const clock = new FakeClock(START)
  const logs: LogLine[] = []
  const stream = { write: (line: string) => void logs.push(JSON.parse(line)) }
  const app = fastify({ logger: { level: 'debug', stream }, ...server })
  const store = typeof options.store === 'function' ? options.store(clock.now) : options.store
  await app.register(session, { secret: SECRET, clock: clock.now, ...options, store } as SessionOptions)
  return { app, clock, logs, warnings: () => logs.filter(({ level }) => level === 40) }
}

/** Creates an application with only the plugin, and a store that records its calls. */
export async function createStoredApp(
  options: Omit<LooseOptions, 'store'> = {}
): Promise<TestApp & { store: RecordingStore }> {
  let store: RecordingStore | undefined
  const made = await createApp({
    ...options,
    store: (clock) => {
      store = new RecordingStore(new MemoryStore({ clock, pruneInterval: 0 }))
      return store
    }
  })
  return { ...made, store: store as unknown as RecordingStore }
}

/** Returns the decisions that the plugin publishes while `run` runs, as `phase: reason`. */
export async function decisionsOf(run: () => Promise<unknown>): Promise<string[]> {
  const decisions: string[] = []
  const note = (message: unknown): void => {
    const { phase, reason } = message as SessionEvent
    decisions.push(`${phase}: ${reason}`)
  }
  subscribe('fastify-typed-session', note)
  try {
    await run()
  } finally {
    unsubscribe('fastify-typed-session', note)
  }
  return decisions
}
