import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type * as Tap from 'tap'
import { blocks, read } from './pages.ts'

/** A request of a transcript, with the reply below it. */
export interface Exchange {
  method: string
  path: string
  sent: Record<string, string>
  status: number
  headers: [name: string, value: string][]
  body: string
}

/** Returns the requests of a page's transcripts, which are calls of curl with a cookie jar. */
export function exchanges(page: string): Exchange[] {
  const transcripts = blocks(read(page), 'console').join('')
  return transcripts.split(/^\$ /m).flatMap((part) => {
    const [command = '', statusLine = '', ...lines] = part.split('\n')
    const [, options = '', path = ''] =
      /^curl -i -b jar -c jar (.*?)'?http:\/\/127\.0\.0\.1:3000(\/[^\s']*)'?$/.exec(command) ?? []
    if (path === '') return []
    const [, method = 'GET'] = /-X (\w+)/.exec(options) ?? []
    const sent = Object.fromEntries(
      [...options.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name, value])
    )
    const blank = lines.indexOf('')
    const headers = lines.slice(0, blank).map((line): [string, string] => {
      const colon = line.indexOf(': ')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)]
    })
    return { method, path, sent, status: Number(statusLine.split(' ')[1]), headers, body: lines[blank + 1] ?? '' }
  })
}

/** What came back from a program that was sent the requests of a page. */
export interface Received {
  /** The names of all headers of each reply, sorted. */
  readonly names: string[][]
  /** The cookie after the last reply; empty after a clearing cookie. */
  readonly cookie: string
}

/** Sends the requests of a page to a program, each with the cookie that came last, and compares the replies with the page. */
export async function assertShown(t: Tap.Test, page: string, url: string): Promise<Received> {
  const names: string[][] = []
  let cookie = ''
  for (const { method, path, sent, status, headers, body } of exchanges(page)) {
    const label = `${method} ${path}`
    // Not fetch(), which sends a Sec-Fetch-Mode that is no navigation.
    const options = { method, headers: { accept: '*/*', ...sent, ...(cookie === '' ? {} : { cookie }) } }
    const [response] = (await once(request(url + path, options).end(), 'response')) as [IncomingMessage]
    t.equal(response.statusCode, status, label)
    t.equal((await text(response)).trimEnd(), body, label)
    for (const [name, value] of headers) {
      const actual = response.headers[name]
      if (name === 'set-cookie') t.equal(withoutValue(actual?.[0]), withoutValue(value), label)
      else if (name === 'date') t.ok(actual)
      else t.equal(actual, value, `${label}: ${name}`)
    }
    names.push(Object.keys(response.headers).sort())
    const line = response.headers['set-cookie']?.[0] ?? cookie
    cookie = line.includes('Max-Age=0') ? '' : (line.split(';', 1)[0] ?? '')
  }
  return { names, cookie }
}

/** A Set-Cookie line without the value, which differs from run to run. */
function withoutValue(line: string | undefined): string | undefined {
  return line?.replace(/^session=[\w.-]+;/, 'session=…;')
}
