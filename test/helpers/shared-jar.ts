/** A browser with one cookie jar for several servers of one host. It sends and receives JSON. */
export class SharedJar {
  readonly cookies: Map<string, string> = new Map()

  /** Sends a GET request, or a POST request if there is a body. */
  async send(url: string, body?: unknown): Promise<{ status: number; setCookie: string | null; json: unknown }> {
    const cookie = Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...(cookie && { cookie }), ...(body !== undefined && { 'content-type': 'application/json' }) }
    const method = body === undefined ? 'GET' : 'POST'
    const reply = await fetch(url, { method, headers, body: body === undefined ? null : JSON.stringify(body) })
    for (const line of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return { status: reply.status, setCookie: reply.headers.get('set-cookie'), json: await reply.json() }
  }
}
