import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import { fastify } from 'fastify'
import type * as Tap from 'tap'
import { SITE } from '../../tools/links.ts'

const DIST = join(import.meta.dirname, '../.vitepress/dist')

/** The path under which the site is served. */
export const BASE: string = new URL(SITE).pathname

/** The files of the built site, by their paths below the base. */
export function filesOfSite(ending: string): string[] {
  return readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith(ending))
}

export function readFile(file: string): string {
  return readFileSync(join(DIST, file), 'utf8')
}

/** Serves the built site as GitHub Pages does. Returns the URL of its start. */
export async function serveSite(t: Tap.Test): Promise<string> {
  const app = fastify()
  await app.register(fastifyStatic, { root: DIST, prefix: BASE, extensions: ['html'], redirect: true })
  app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/html').send(readFile('404.html')))
  t.teardown(() => app.close())
  return (await app.listen({ host: '127.0.0.1', port: 0 })) + BASE
}
