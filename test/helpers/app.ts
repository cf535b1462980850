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
  SessionFormat,
  SessionOptions,
  SessionStore
} from '../../lib/index.ts'
import { MemoryRevocations, MemoryStore, session } from '../../lib/index.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { RecordingStore } from './recording-store.ts'
import './session-data.ts'

export const SECRET = 'correct horse battery staple 0123456789'
export const OTHER_SECRET = 'an old key that signed cookies last year'

type Others = Omit<LimitedSessionOptions, 'store' | 'encrypt' | 'revocations' | keyof Staleness> & Staleness
type Staleness = Pick<RevocableSessionOptions, 'maxStaleness' | 'onStale'>

/**
 * The plugin's options without the rules of its types. `store` and `revocations` may be functions that receive the application's
 * clock.
 */
export type LooseOptions = Partial<Omit<CommonSessionOptions, 'format'> & Others> & {
  format?: SessionFormat | undefined
  encrypt?: boolean
  cookieName?: string
  cookie?: CookieAttributes
  store?: SessionStore | ((clock: () => number) => SessionStore)
  revocations?: RevocationList | ((clock: () => number) => RevocationList)
}

/** A mode of the plugin. */
export interface Mode<Name extends string = string> {
  readonly mode: Name
  readonly options: LooseOptions
  /** Whether the server has nothing of a session. Then every change sends a cookie, and a copy stays valid. */
  readonly isSelfContained: boolean
  /** Whether the store answers asynchronously, as a remote one does. */
  readonly isRemote?: true
}

/** The modes in which every story runs. */
export const MODES: readonly Mode<'signed' | 'encrypted' | 'stored' | 'remotely stored' | 'sealed'>[] = [
  { mode: 'signed', options: {}, isSelfContained: true },
  { mode: 'encrypted', options: { encrypt: true }, isSelfContained: true },
  { mode: 'stored', options: { store: (clock) => new MemoryStore({ clock }) }, isSelfContained: false },
  {
    mode: 'remotely stored',
    options: { store: (clock) => new RecordingStore(new MemoryStore({ clock })) },
    isSelfContained: false,
    isRemote: true
  },
  {
    mode: 'sealed',
    options: { encrypt: true, store: (clock) => new RecordingStore(new MemoryStore({ clock })) },
    isSelfContained: false,
    isRemote: true
  }
]

const revocations = (clock: () => number): RevocationList => new MemoryRevocations({ clock })

/** The modes in which a cookie holds the data, and opens nothing after its session has ended. */
export const REVOCABLE: readonly Mode[] = [
  { mode: 'signed, revocable', options: { revocations }, isSelfContained: false },
  { mode: 'encrypted, revocable', options: { revocations, encrypt: true }, isSelfContained: false }
]

/** Returns options with which several applications share one store, or one list. */
export function withOneStore(options: LooseOptions): LooseOptions {
  const { store, revocations } = options
  return {
    ...options,
    ...(typeof store === 'function' && { store: once(store) }),
    ...(typeof revocations === 'function' && { revocations: once(revocations) })
  }
}

function once<T>(make: (clock: () => number) => T): (clock: () => number) => T {
  let made: T | undefined
  return (clock) => {
    made ??= make(clock)
    return made
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
  await addSession(app, clock, options)
  return { app, clock, logs, warnings: () => logs.filter(({ level }) => level === 40) }
}

/** Registers a session in an application. */
export async function addSession(app: FastifyInstance, clock: FakeClock, options: LooseOptions): Promise<void> {
  const store = typeof options.store === 'function' ? options.store(clock.now) : options.store
  const { revocations: given } = options
  const revocations = typeof given === 'function' ? given(clock.now) : given
  await app.register(session, { secret: SECRET, clock: clock.now, ...options, store, revocations } as SessionOptions)
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
