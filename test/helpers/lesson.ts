import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { inspectCookie } from '../../lib/diagnostics/inspect-cookie.ts'
import { Client } from '../../lib/testing/create-client.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { SECRET, START } from './app.ts'

interface LessonOptions {
  secret: string | undefined
  clock?: () => number
}

/** Builds a lesson. By a name that the compiler does not follow: lessons see the built package, tests its sources. */
export async function buildLesson(
  lesson: string,
  options: LessonOptions,
  directory?: string
): Promise<FastifyInstance> {
  const path = String(new URL(`../../example/lessons/${lesson}.ts`, import.meta.url))
  const { buildApp } = (await import(path)) as {
    buildApp(options: LessonOptions, directory?: string): Promise<FastifyInstance>
  }
  return buildApp(options, directory)
}

/** A person at a browser, whom guards send to the form. */
export class Reader extends Client {
  override inject(options: InjectOptions): Promise<LightMyRequestResponse> {
    return super.inject({ ...options, headers: { accept: 'text/html', ...options.headers } })
  }

  /** Sends a form. */
  submit(url: string, fields: Record<string, string>): Promise<LightMyRequestResponse> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return this.post(url, { headers, payload: new URLSearchParams(fields).toString() })
  }
}

/** A lesson whose sessions are in cookies, its clock, and somebody who has just arrived. */
export async function openLesson(lesson: string): Promise<{ app: FastifyInstance; clock: FakeClock; visitor: Reader }> {
  const clock = new FakeClock(START)
  const app = await buildLesson(lesson, { secret: SECRET, clock: clock.now })
  return { app, clock, visitor: new Reader(app) }
}

/** What the session cookie of a visitor says to everyone who looks into it. */
export function dataOf(visitor: Reader): unknown {
  const cookie = visitor.jar.get('session')
  if (cookie === undefined) return undefined
  return inspectCookie('session', cookie, [], { idleTimeout: 1, absoluteTimeout: 1 }, 0).envelope?.data
}
