import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { inspectCookie } from '../../lib/diagnostics/inspect-cookie.ts'
import { Client } from '../../lib/testing/create-client.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { SECRET, START } from './app.ts'

interface LessonOptions {
  secret: string | undefined
  clock?: () => number
}

/** Builds a lesson. The compiler does not follow the computed path: lessons use the built package, tests its sources. */
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

/** A client that sends the Accept header of a browser, so that guards redirect it. */
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

/** Opens a lesson whose sessions are in cookies. Returns it with its clock and a new visitor. */
export async function openLesson(lesson: string): Promise<{ app: FastifyInstance; clock: FakeClock; visitor: Reader }> {
  const clock = new FakeClock(START)
  const app = await buildLesson(lesson, { secret: SECRET, clock: clock.now })
  return { app, clock, visitor: new Reader(app) }
}

/** Returns the data that anybody can read in the session cookie of a visitor. */
export function dataOf(visitor: Reader): unknown {
  const cookie = visitor.jar.get('session')
  if (cookie === undefined) return undefined
  const timeouts = { idleTimeout: 1, absoluteTimeout: 1, maxIdleTimeout: 1, maxAbsoluteTimeout: 1 }
  return inspectCookie('session', cookie, [], timeouts, 0).record?.data
}
