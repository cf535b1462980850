import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import fastify from 'fastify'
import type { CommonSessionOptions, CookieAttributes, SessionEvent, SessionOptions } from '../../lib/index.ts'
import { session } from '../../lib/index.ts'
import './session-data.ts'

export const SECRET = 'correct horse battery staple 0123456789'
export const OTHER_SECRET = 'an old key that signed cookies last year'

/** The options of the plugin without the rules that its types have. */
export type LooseOptions = Partial<CommonSessionOptions> & { cookieName?: string; cookie?: CookieAttributes }

/** The modes that every story is told in. */
export const MODES: readonly { mode: string; options: LooseOptions }[] = [
  { mode: 'signed', options: {} },
  { mode: 'encrypted', options: { encrypt: true } }
]

/** A clock that only moves by hand. Starts at a full second. */
export class Clock {
  now = 1_763_640_000_000
  readonly read = (): number => this.now

  advance(seconds: number): void {
    this.now += seconds * 1000
  }
}

export interface LogLine {
  level: number
  msg: string
  reason?: string
  session?: { phase: string; reason: string }
}

export interface TestApp {
  app: FastifyInstance
  clock: Clock
  /** What the application logged, from level debug on. */
  logs: LogLine[]
  warnings(): LogLine[]
}

/** An application with the plugin registered and nothing else. */
export async function createApp(options: LooseOptions = {}, server: FastifyServerOptions = {}): Promise<TestApp> {
  const clock = new Clock()
  const logs: LogLine[] = []
  const stream = { write: (line: string) => void logs.push(JSON.parse(line)) }
  const app = fastify({ logger: { level: 'debug', stream }, ...server })
  await app.register(session, { secret: SECRET, clock: clock.read, ...options } as SessionOptions)
  return { app, clock, logs, warnings: () => logs.filter(({ level }) => level === 40) }
}

/** The decisions that are published while `run` runs, as `phase: reason`. */
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
