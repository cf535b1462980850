import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import type { Session } from '../../lib/index.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { decisionsOf } from '../helpers/app.ts'
import { when } from '../helpers/fake-time.ts'
import type { StoreMethod } from '../helpers/recording-store.ts'
import { createVisited } from '../helpers/visited-app.ts'

const UNAVAILABLE = { code: 'ERR_SESSION_STORE_UNAVAILABLE', statusCode: 503 }

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

/** A visitor of a route whose handler can be changed. */
async function createPlayed(options: Parameters<typeof createVisited>[0] = {}) {
  const made = await createVisited(options)
  let handler: Handler = () => 'ok'
  made.app.get('/play', async (request, reply) => handler(request, reply))
  const play = async (next: Handler) => {
    handler = next
    made.store.takeCalls()
    const response = await made.visitor.get('/play')
    return { response, methods: made.store.takeMethods() }
  }
  /** From now on a method fails, before or after it is applied. */
  const failAt = (failing: StoreMethod, moment: 'before' | 'after' = 'before'): void => {
    made.store[moment] = (method) => (method === failing ? Promise.reject(new Error('down')) : undefined)
  }
  const mend = (): void => {
    made.store.before = () => undefined
    made.store.after = () => undefined
  }
  return { ...made, play, failAt, mend }
}

const visitAgain = (data: { visits?: number | undefined }): void => {
  data.visits = 7
}

/** What a handler may do that needs the store. */
const CALLS: Readonly<Record<string, [failing: StoreMethod, call: (session: Session) => unknown]>> = {
  commit: ['commit', (session) => session.commit()],
  update: ['commit', (session) => session.update(visitAgain)],
  destroy: ['destroy', (session) => session.destroy()],
  regenerate: ['commit', (session) => session.regenerate()]
}

t.test('what has failed in a handler is not tried again by the reply', async (t) => {
  for (const [name, [failing, call]] of Object.entries(CALLS)) {
    const { play, failAt, visitor, mend } = await createPlayed()
    const cookie = visitor.jar.header()
    failAt(failing)
    let played = await play(() => 'unused')
    const decisions = await decisionsOf(async () => {
      played = await play(async ({ session }) => {
        session.name = 'Ben'
        await call(session)
        return 'done'
      })
    })
    t.match(played.response.json(), UNAVAILABLE, name)
    t.equal(played.response.headers['retry-after'], '5', name)
    t.same(setCookieLines(played.response), [], name)
    t.equal(played.methods.filter((method) => method === failing).length, 1, `${name} reaches the store once`)
    t.equal(decisions.at(-1), 'commit: store-unavailable', name)
    mend()
    t.equal(visitor.jar.header(), cookie, name)
  }
})

t.test('a handler that answers the failure itself is left alone, and what it loses is warned of', async (t) => {
  for (const [name, [failing, call]] of Object.entries(CALLS)) {
    const { play, failAt, mend, warnings, visitor } = await createPlayed()
    failAt(failing)
    const { response } = await play(async ({ session }) => {
      session.name = 'Ben'
      await t.rejects(call(session) as Promise<unknown>, UNAVAILABLE)
      mend()
      return 'sorry'
    })
    t.same([response.statusCode, response.body, setCookieLines(response)], [200, 'sorry', []], name)
    t.match(warnings(), [{ reason: 'store-unavailable' }], name)
    t.same((await visitor.get('/read')).json(), { visits: 1, name: 'Ana' }, name)
  }
})

t.test('a reply that tells of the failure needs no warning', async (t) => {
  const { play, failAt, warnings } = await createPlayed()
  failAt('commit')
  const { response } = await play(async ({ session }, reply) => {
    session.name = 'Ben'
    try {
      await session.commit()
    } catch {
      reply.code(503)
    }
    return 'sorry'
  })
  t.same([response.statusCode, response.body], [503, 'sorry'])
  t.same(warnings(), [])
})

t.test('after a failure nothing is saved any more, but the session can still end', async (t) => {
  const { play, failAt, mend, store, key } = await createPlayed()
  failAt('commit')
  const { methods } = await play(async ({ session }) => {
    session.name = 'Ben'
    const error = await session.commit().catch((error: unknown) => error)
    mend()
    await t.rejects(session.commit(), error as Error, 'with the same error')
    await t.rejects(session.update(visitAgain), error as Error)
    await session.destroy()
    return 'out'
  })
  t.same(
    methods.filter((method) => method !== 'load'),
    ['commit', 'destroy']
  )
  t.equal(await store.inner.load(key), undefined)
})

t.test('after a failure no other session begins, so that the one of the browser goes on', async (t) => {
  const { play, failAt, mend, store, key, visitor } = await createPlayed()
  failAt('commit')
  const { response, methods } = await play(async ({ session }) => {
    session.name = 'Ben'
    const error = await session.commit().catch((error: unknown) => error)
    mend()
    await t.rejects(session.regenerate(), error as Error)
    session.visits = 100
    return 'sorry'
  })
  t.same([response.body, setCookieLines(response)], ['sorry', []])
  t.same(methods, ['load', 'commit'])
  t.ok(await store.inner.load(key))
  t.same((await visitor.get('/read')).json(), { visits: 1, name: 'Ana' })
})

t.test('a session that is set to null and cannot end fails the reply, after one attempt', async (t) => {
  const { play, failAt, visitor } = await createPlayed()
  failAt('destroy')
  for (const wait of [false, true]) {
    const { response, methods } = await play(async (request) => {
      request.session = null
      if (wait) await new Promise(setImmediate)
      return 'out'
    })
    t.match(response.json(), UNAVAILABLE)
    t.same(
      methods.filter((method) => method === 'destroy'),
      ['destroy']
    )
    t.same(setCookieLines(response), [])
  }
  t.same((await visitor.get('/read')).json(), { visits: 1, name: 'Ana' })
})

t.test('what was saved before the failure stays, and its cookie is sent', async (t) => {
  const { play, failAt, visitor, mend } = await createPlayed()
  const { response } = await play(async ({ session }) => {
    session.setOwner('ana')
    await session.commit()
    failAt('commit')
    session.name = 'Ben'
    await session.commit()
  })
  t.equal(response.statusCode, 503)
  t.equal(setCookieLines(response).length, 1)
  mend()
  t.same((await visitor.get('/read')).json(), { visits: 1, name: 'Ana' })
})

t.test('a login with an unknown outcome leaves nothing, and the session from before goes on', async (t) => {
  const { play, failAt, mend, store, visitor, key } = await createPlayed({ storeTimeout: 0.05 })
  const alive = setInterval(() => {}, 1000)
  for (const [method, moment] of [
    ['create', 'after'],
    ['commit', 'after'],
    ['commit', 'before']
  ] as const) {
    failAt(method, moment)
    const { response } = await play(async ({ session }) => {
      session.setOwner('ana')
      await session.commit()
    })
    t.match(response.json(), UNAVAILABLE)
    t.same(setCookieLines(response), [])
    mend()
    await when(async () => (await store.inner.list('ana')).length === 0)
    t.ok(await store.inner.load(key))
    t.same((await visitor.get('/read')).json(), { visits: 1, name: 'Ana' }, `${method} ${moment}`)
  }
  clearInterval(alive)
})

t.test('a failure while an error is answered has its own status', async (t) => {
  const { play, failAt } = await createPlayed()
  failAt('commit')
  const { response } = await play(({ session }) => {
    session.name = 'Ben'
    throw Object.assign(new Error('not now'), { statusCode: 409 })
  })
  t.match(response.json(), UNAVAILABLE)
  t.equal(response.statusCode, 503)
})
