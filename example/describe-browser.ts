import bowser from 'bowser'
import type { FastifyRequest } from 'fastify'

/** Describes a new session for the list of its user: `{ browser: 'Firefox 148', system: 'Linux' }`. */
export function describeBrowser({ headers }: FastifyRequest): { browser: string; system: string } {
  const { browser, os } = bowser.parse(headers['user-agent'] || 'unknown')
  const version = browser.version?.split('.', 1)[0] ?? ''
  return { browser: `${browser.name || 'A browser'} ${version}`.trim(), system: os.name || '' }
}
