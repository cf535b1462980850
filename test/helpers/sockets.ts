import { once } from 'node:events'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { WebSocket } from 'ws'
import type { Session } from '../../lib/index.ts'

/** The answer to a WebSocket handshake: a socket, or a refusal. */
export interface Handshake {
  /** 101, or the status of the refusal. */
  status: number
  setCookies: string[]
  socket: WebSocket
}

/** Opens a WebSocket over the network. */
export function shakeHands(url: string, headers: Record<string, string> = {}): Promise<Handshake> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), { headers })
    const setCookies: string[] = []
    socket.on('upgrade', (response) => setCookies.push(...(response.headers['set-cookie'] ?? [])))
    socket.on('open', () => resolve({ status: 101, setCookies, socket }))
    socket.on('unexpected-response', (request, response) => {
      request.destroy()
      resolve({ status: response.statusCode ?? 0, setCookies: response.headers['set-cookie'] ?? [], socket })
    })
    socket.on('error', reject)
  })
}

export async function close(socket: WebSocket): Promise<void> {
  const closed = once(socket, 'close')
  socket.close()
  await closed
}

type Act = (session: Session) => unknown

/** A WebSocket handler that runs a function of the test on its session whenever a message arrives. */
export class RemoteHandler {
  /** The request of the last handshake. */
  request: FastifyRequest | undefined
  #act: Act = () => undefined

  readonly handle = (socket: WebSocket, request: FastifyRequest): void => {
    this.request = request
    socket.on('message', async () => {
      let answer: unknown
      try {
        answer = await this.#act(request.session)
      } catch (error) {
        answer = (error as { code?: string }).code
      }
      socket.send(JSON.stringify(answer ?? null))
    })
  }

  /** Runs `act` in the handler. Returns its result, or the code of its error. */
  async run(socket: WebSocket, act: Act): Promise<unknown> {
    this.#act = act
    const answered = once(socket, 'message')
    socket.send('')
    const [answer] = await answered
    return JSON.parse(String(answer))
  }
}

export function listen(app: FastifyInstance): Promise<string> {
  return app.listen({ host: '127.0.0.1', port: 0 })
}
