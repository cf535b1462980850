import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'

interface Reply {
  readonly status: number
  readonly location: string
  readonly text: string
}

/** A browser, as far as forms and cookies go. `headers` are sent with every request. */
export class FormBrowser {
  readonly cookies: Map<string, string> = new Map()
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = url
    this.#headers = headers
  }

  /** Opens a page, or submits a form to it. */
  async send(path: string, form?: Readonly<Record<string, string>>): Promise<Reply> {
    // Not fetch, which says of itself that it does not navigate.
    const sent = request(this.#url + path, {
      method: form === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'text/html',
        ...this.#headers,
        cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' })
      }
    })
    sent.end(form === undefined ? '' : new URLSearchParams(form).toString())
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    for (const line of response.headers['set-cookie'] ?? []) {
      const [name = '', value = ''] = line.split(/[=;]/)
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    const { statusCode = 0, headers } = response
    return { status: statusCode, location: headers.location ?? '', text: await text(response) }
  }
}
