import type { FastifyInstance, FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import type { SessionManager } from './manager.ts'
import { areNeighbours } from './send-hooks.ts'
import type { WebSocketHandshake } from './websocket.ts'

// No async hooks: those cost a promise on every request, and most requests have nothing to wait for.

export function addStartHook(app: FastifyInstance, manager: SessionManager, handshake: WebSocketHandshake): void {
  app.addHook('onRequest', function startSession(request, reply, done) {
    handshake.expect(request, reply)
    let pending: unknown
    try {
      pending = manager.start(request, reply)
    } catch (error) {
      done(error as Error)
      return
    }
    if (pending instanceof Promise) settle(pending, done)
    else done()
  })
}

/**
 * Saves the session in our onSend hook, and then what later hooks have changed, such as those of a route. Most routes have no hook
 * between the two: if the first did not wait either, nothing can have changed.
 */
export function addFinishHooks(app: FastifyInstance, manager: SessionManager): void {
  /** The request of which our first hook was done at once. */
  let finished: FastifyRequest | undefined
  const first = finishHook((request, reply, payload) => {
    const pending = manager.finish(request, reply, payload)
    finished = pending === undefined ? request : undefined
    return pending
  })
  app.addHook('onSend', first)
  const whenReady: (() => void)[] = []
  app.addHook('onRoute', function (route) {
    let isNext = false
    const last = finishHook((request, reply, payload) => {
      if (!isNext || request !== finished) return manager.finishAgain(request, reply, payload)
      finished = undefined
      return undefined
    })
    route.onSend = [route.onSend ?? [], last].flat()
    whenReady.push(() => {
      isNext = areNeighbours(first, last, this, route)
    })
  })
  app.addHook('onReady', async () => {
    for (const look of whenReady.splice(0)) look()
  })
}

function finishHook(finish: SessionManager['finish']): onSendHookHandler {
  return function finishSession(request, reply, payload, done) {
    let pending: unknown
    try {
      pending = finish(request, reply, payload)
    } catch (error) {
      done(error as Error)
      return
    }
    if (!(pending instanceof Promise)) {
      done(null, payload)
      return
    }
    const release = countAsSent(reply)
    settle(pending, (error) => {
      release()
      if (error === undefined) done(null, payload)
      else done(error)
    })
  }
}

/** `.catch` comes last: `done` runs the rest of the request and may throw, which would otherwise be an unhandled rejection. */
function settle(pending: Promise<unknown>, done: (error?: Error) => void): void {
  pending.then(() => done()).catch(done)
}

/**
 * Fastify skips the handler once `reply.sent` is true. While the store saves, it is still false, so a handler could run after a
 * hook that replied without returning the reply. Pretend that it is sent; returns a function that undoes this.
 */
function countAsSent(reply: FastifyReply): () => void {
  Object.defineProperty(reply, 'sent', { value: true, configurable: true })
  return () => Reflect.deleteProperty(reply, 'sent')
}
