import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type * as Tap from 'tap'

export interface SharedCacheOptions {
  /** Its target list (RFC 9213, section 2.2). */
  readonly targets?: readonly string[]
  /** Many that are for sale do not. */
  readonly heedsVary?: boolean
}

interface Stored {
  headers: [name: string, value: string][]
  readonly body: string
  readonly request: IncomingMessage['headers']
}

/**
 * Starts a cache that many people share, in front of a server, and returns its address. It keeps and reuses all that RFC 9111 lets
 * it, replies without a lifetime included, and forgets nothing with time.
 */
export async function startSharedCache(t: Tap.Test, origin: string, options: SharedCacheOptions = {}): Promise<string> {
  const { targets = [], heedsVary = true } = options
  const kept = new Map<string, Stored>()

  const answer = async ({ url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> => {
    const found = kept.get(url)
    const stored = found !== undefined && (!heedsVary || fits(found, headers)) ? found : undefined
    if (stored !== undefined && lifetimeOf(directivesOf(stored.headers, targets)) > 0) {
      send(response, stored)
      return
    }
    const etag = stored === undefined ? undefined : fieldOf(stored.headers, 'etag')
    const received = await fetch(origin + url, {
      headers: {
        ...(headers.cookie === undefined ? {} : { cookie: headers.cookie }),
        ...(etag === undefined ? {} : { 'if-none-match': etag })
      }
    })
    if (received.status === 304 && stored !== undefined) {
      // Section 3.2: the fields of the 304 take the place of those that are stored.
      const updated = [...received.headers]
      const names = new Set(updated.map(([name]) => name))
      stored.headers = [...stored.headers.filter(([name]) => !names.has(name)), ...updated]
      send(response, stored)
      return
    }
    const reply: Stored = { headers: [...received.headers], body: await received.text(), request: headers }
    if (received.status === 200 && mayKeep(directivesOf(reply.headers, targets))) kept.set(url, reply)
    send(response, reply)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => response.destroy(error))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Section 4.1. */
function fits({ headers, request }: Stored, others: IncomingMessage['headers']): boolean {
  const names = (fieldOf(headers, 'vary') ?? '').toLowerCase().split(',')
  return names.every((name) => name.trim() !== '*' && request[name.trim()] === others[name.trim()])
}

function mayKeep(directives: ReadonlyMap<string, string>): boolean {
  return directives.get('private') !== '' && !directives.has('no-store')
}

/** Sections 4.2.1 and 4.2.2, in seconds. */
function lifetimeOf(directives: ReadonlyMap<string, string>): number {
  if (directives.get('no-cache') === '') return 0
  return Number(directives.get('s-maxage') ?? directives.get('max-age') ?? 60)
}

function directivesOf(headers: Stored['headers'], targets: readonly string[]): Map<string, string> {
  const name = targets.find((target) => fieldOf(headers, target) !== undefined) ?? 'cache-control'
  const text = fieldOf(headers, name) ?? ''
  const found = text.matchAll(/([\w-]+)(?:="?([^",]*(?:"|(?=,|$)))?)?/g)
  return new Map([...found].map(([, directive = '', argument = '']) => [directive.toLowerCase(), argument]))
}

function fieldOf(headers: Stored['headers'], name: string): string | undefined {
  return headers.find(([other]) => other === name)?.[1]
}

function send(response: ServerResponse, { headers, body }: Stored): void {
  for (const [name, value] of headers) {
    if (!['connection', 'keep-alive', 'transfer-encoding', 'content-length'].includes(name)) {
      response.appendHeader(name, value)
    }
  }
  response.end(body)
}
