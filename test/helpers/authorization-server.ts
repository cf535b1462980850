import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What the server exchanges a code for, once. */
interface Grant {
  readonly user: string
  readonly redirectUri: string
  readonly challenge: string | null
}

export const CLIENT = { id: 'shop', secret: 'what the shop and the server know' }

/** A minimal authorization server: it exchanges a code for a token (RFC 6749), with proof keys (RFC 7636), and says whose it is. */
export class AuthorizationServer {
  readonly origin: string
  /** The user who is logged in at the server and agrees to everything. Without a user the server refuses. */
  user: string | undefined = 'ada'
  readonly #server: Server
  readonly #grants = new Map<string, Grant>()
  readonly #tokens = new Map<string, string>()

  static async start(): Promise<AuthorizationServer> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new AuthorizationServer(server)
  }

  private constructor(server: Server) {
    this.#server = server
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', async (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', this.origin)
      if (pathname === '/authorize') {
        response.writeHead(302, { location: this.#authorize(searchParams).href }).end()
        return
      }
      if (pathname === '/user') {
        const name = this.#tokens.get(request.headers.authorization?.replace('Bearer ', '') ?? '')
        response.writeHead(name === undefined ? 401 : 200).end(JSON.stringify({ name }))
        return
      }
      const token = this.#exchange(new URLSearchParams(await text(request)))
      response.writeHead(token === undefined ? 400 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(token ?? { error: 'invalid_grant' }))
    })
  }

  /** Follows a redirect to this server, as a browser does. Returns the URL to which the server redirects. */
  async visit(location: string): Promise<URL> {
    const { headers } = await fetch(location, { redirect: 'manual' })
    return new URL(headers.get('location') ?? '')
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #authorize(asked: URLSearchParams): URL {
    const redirectUri = asked.get('redirect_uri') ?? ''
    const back = new URL(redirectUri)
    const state = asked.get('state')
    if (state !== null) back.searchParams.set('state', state)
    if (this.user === undefined) {
      back.searchParams.set('error', 'access_denied')
      return back
    }
    const code = randomUUID()
    this.#grants.set(code, { user: this.user, redirectUri, challenge: asked.get('code_challenge') })
    back.searchParams.set('code', code)
    return back
  }

  #exchange(asked: URLSearchParams): object | undefined {
    const code = asked.get('code') ?? ''
    const grant = this.#grants.get(code)
    this.#grants.delete(code)
    const verifier = asked.get('code_verifier')
    const challenge = verifier === null ? null : createHash('sha256').update(verifier).digest('base64url')
    const isGood =
      asked.get('client_id') === CLIENT.id &&
      asked.get('client_secret') === CLIENT.secret &&
      asked.get('redirect_uri') === grant?.redirectUri &&
      challenge === grant.challenge
    if (!isGood) return undefined
    const token = randomUUID()
    this.#tokens.set(token, grant.user)
    return { access_token: token, token_type: 'Bearer', name: grant.user }
  }
}
