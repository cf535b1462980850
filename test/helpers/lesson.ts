import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { inspectCookie } from '../../lib/inspect-cookie.ts'
import { Clock, SECRET } from './app.ts'
import { Visitor } from './jar.ts'

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

/** A person at a browser: guards send them to the form. */
export class Reader extends Visitor {
  override send(options: InjectOptions): Promise<LightMyRequestResponse> {
    return super.send({ ...options, headers: { accept: 'text/html', ...options.headers } })
  }
}

/** A lesson whose sessions are in cookies, its clock, and a visitor who has just arrived. */
export async function openLesson(lesson: string): Promise<{ app: FastifyInstance; clock: Clock; visitor: Reader }> {
  const clock = new Clock()
  const app = await buildLesson(lesson, { secret: SECRET, clock: clock.read })
  return { app, clock, visitor: new Reader(app) }
}

/** What the session cookie of a visitor says to everyone who looks into it. */
export function dataOf(visitor: Visitor): unknown {
  const cookie = visitor.jar.cookies.get('session')
  if (cookie === undefined) return undefined
  return inspectCookie('session', cookie, [], { idleTimeout: 1, absoluteTimeout: 1 }, 0).envelope?.data
}
