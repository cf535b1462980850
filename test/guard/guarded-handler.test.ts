import type { FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import type { Gate } from '../../lib/guard/guarded-handler.ts'
import { guardedHandler } from '../../lib/guard/guarded-handler.ts'

const OPEN: readonly Gate[] = [() => true, async () => true]

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

/** Ways in which a handler can reply. */
const WAYS: Record<string, Handler> = {
  'at once': (_request, reply) => void reply.send('handled'),
  later: (_request, reply) => void setImmediate(() => reply.send('handled')),
  'with what send returns': (_request, reply) => reply.send('handled'),
  'with a promise': async () => 'handled',
  'and waits': async (_request, reply) => await reply.send('handled')
}

t.test('a handler behind an open gate replies in every way', async (t) => {
  for (const gate of OPEN) {
    for (const [way, handler] of Object.entries(WAYS)) {
      const errors: string[] = []
      const app = fastify({ logger: { level: 'error', stream: { write: (line) => void errors.push(line) } } })
      app.get('/', guardedHandler(gate, handler))
      t.equal((await app.inject('/')).body, 'handled', way)
      t.same(errors, [], 'nothing is wrong with it')
    }
  }
})

t.test('its errors are errors of the request, and its this is the server', async (t) => {
  for (const gate of OPEN) {
    const app = fastify()
    app.get(
      '/throws',
      guardedHandler(gate, () => {
        throw new Error('mine')
      })
    )
    app.get(
      '/this',
      guardedHandler(gate, function handler() {
        return Promise.resolve(String(this === app))
      })
    )
    t.equal((await app.inject('/throws')).json().message, 'mine')
    t.equal((await app.inject('/this')).body, 'true')
  }
})

t.test('a handler behind a gate that has answered does not run', async (t) => {
  const app = fastify()
  const gate: Gate = async (_request, reply) => {
    reply.redirect('/login')
    return false
  }
  app.get(
    '/',
    guardedHandler(gate, () => t.fail('handled'))
  )
  t.equal((await app.inject('/')).headers.location, '/login')
})

t.test('the handler of a WebSocket route gets a socket first, so it is refused', (t) => {
  const guarded = guardedHandler(OPEN[0] as Gate, () => t.fail('handled'))
  const call = guarded as unknown as (socket: object, request: object) => unknown
  t.throws(() => call({ send() {} }, { raw: {} }), {
    code: 'ERR_SESSION_VALUE',
    message: /guard\.handle\(\{ websocket: true \}, handler\)/
  })
  t.end()
})
