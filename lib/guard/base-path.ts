import type { GuardRequest } from '../../types/guard.ts'
import { isBasePath } from '../util/base-path.ts'
import { settingsOf } from './settings-of.ts'

/**
 * Returns the path under which the browser sees this server, because a proxy takes it off: the option `basePath`, or else what a
 * trusted proxy says. `''` if there is none.
 */
export function basePathOf(request: object, decorator: string): string {
  return settingsOf(request, decorator)?.basePath ?? forwardedPrefix(request as Partial<GuardRequest>) ?? ''
}

/** Returns a path as the browser sees it. One that begins with the base path already, and a whole URL, stay as they are. */
export function withBasePath(path: string, base: string): string {
  const isInside = path.startsWith(base) && /^($|[/?#])/.test(path.slice(base.length))
  return isInside || !path.startsWith('/') || path.startsWith('//') ? path : base + path
}

/** The last one, which the nearest proxy has written, as Fastify reads the other headers of proxies. */
function forwardedPrefix(request: Partial<GuardRequest>): string | undefined {
  const header = request.raw?.headers['x-forwarded-prefix']
  if (header === undefined || !isFromTrustedProxy(request)) return undefined
  const prefix = String(header).split(',').at(-1)?.trim().replace(/\/+$/, '')
  return isBasePath(prefix) ? prefix : undefined
}

/** Fastify tells whom it trusts only by what it believes. */
function isFromTrustedProxy(request: Partial<GuardRequest>): boolean {
  const host = 'forwarded.invalid'
  return Object.create(request, { headers: { value: { 'x-forwarded-host': host } } }).host === host
}
