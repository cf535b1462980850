import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'

/** A browser's memory for one host: names to values, as Set-Cookie lines left them. Paths and domains are not looked at. */
export class Jar {
  readonly cookies: Map<string, string> = new Map()

  take(response: LightMyRequestResponse): void {
    this.takeLines(setCookies(response))
  }

  takeLines(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = ''] = line.split(';', 1)
      const name = pair.slice(0, pair.indexOf('='))
      if (/; (Max-Age=0|Expires=Thu, 01 Jan 1970 00:00:00 GMT)(;|$)/i.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, pair.slice(name.length + 1))
    }
  }

  get header(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }
}

/** The Set-Cookie lines of a response, none, one or many. */
export function setCookies(response: LightMyRequestResponse): string[] {
  const header = response.headers['set-cookie']
  return header === undefined ? [] : Array.isArray(header) ? header : [header]
}

/** A visitor with a jar. */
export class Visitor {
  readonly jar: Jar = new Jar()
  readonly #app: FastifyInstance

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  async send(options: InjectOptions): Promise<LightMyRequestResponse> {
    const cookie = this.jar.header
    const headers = cookie === '' ? options.headers : { cookie, ...options.headers }
    const response = await this.#app.inject({ ...options, ...(headers === undefined ? {} : { headers }) })
    this.jar.take(response)
    return response
  }

  get(url: string): Promise<LightMyRequestResponse> {
    return this.send({ method: 'GET', url })
  }
  /** Fills in a form and sends it. */
  submit(url: string, fields: Readonly<Record<string, string>>): Promise<LightMyRequestResponse> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return this.send({ method: 'POST', url, headers, payload: new URLSearchParams(fields).toString() })
  }
}
