import { inspect } from 'node:util'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { RequestSession } from '../../lib/request/session.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import type { Session, SessionErrorCode } from '../../types/index.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, MODES, START } from '../helpers/app.ts'
import '../helpers/session-data.ts'

const NOW = START.getTime() / 1000

/** Members that take values of their own. */
const WRITABLE: readonly string[] = ['permanent', 'idleTimeout', 'absoluteTimeout']

interface Scene {
  readonly session: Session
  readonly request: FastifyRequest
  /** Another request of the same browser changes the data. */
  elsewhere(change: (session: Session) => unknown): Promise<unknown>
}

/** Runs `story` in a handler, in the session of a visitor whose session holds these data. Returns the data of the next request. */
async function within(
  values: object | undefined,
  story: (scene: Scene) => unknown,
  options: LooseOptions = {}
): Promise<Record<string, unknown>> {
  const { app } = await createApp(options)
  let error: unknown
  app.get('/', async (request) => {
    const elsewhere = async (change: (session: Session) => unknown) => {
      const url = `/elsewhere`
      changes.push(change)
      await app.inject({ url, headers: { cookie: String(request.headers.cookie) } })
    }
    try {
      await story({ session: request.session, request, elsewhere })
    } catch (thrown) {
      error = thrown
    }
    return 'ok'
  })
  const changes: ((session: Session) => unknown)[] = []
  app.get('/elsewhere', async ({ session }) => changes.pop()?.(session))
  app.get('/next', async ({ session }) => session)
  const visitor = await createClient(app, values === undefined ? {} : { data: values })
  await visitor.get('/')
  if (error !== undefined) throw error
  return (await visitor.get('/next')).json()
}

t.test('data, and nothing else, are own enumerable properties', async (t) => {
  await within({ visits: 1 }, ({ session }) => {
    session.name = 'Ana'
    t.same(Object.keys(session), ['visits', 'name'])
    t.same({ ...session }, { visits: 1, name: 'Ana' })
    t.equal(JSON.stringify(session), '{"visits":1,"name":"Ana"}')
    t.equal('visits' in session, true)
    t.equal('userId' in session, false)
    delete session.visits
    t.equal('visits' in session, false)
    t.equal(session.visits, undefined)
    const seen: string[] = []
    for (const key in session) seen.push(key)
    t.same(seen, ['name'])
    t.equal(inspect(session), "Session { name: 'Ana' }")
  })
})

t.test('the dict methods are those that Flask hands know', async (t) => {
  await within({ visits: 1 }, ({ session }) => {
    t.equal(session.get('visits'), 1)
    t.equal(session.get('visits', 5), 1)
    t.equal(session.get('name'), undefined)
    t.equal(session.get('name', 'guest'), 'guest')
    session.set('name', 'Ana')
    t.equal(session.name, 'Ana')
    t.equal(session.has('name'), true)
    session.set('name', undefined)
    t.equal(session.has('name'), false)
    t.equal(session.pop('visits'), 1)
    t.equal(session.pop('visits'), undefined)
    t.equal(session.pop('visits', 9), 9)
    t.equal(session.setDefault('visits', 3), 3)
    t.equal(session.setDefault('visits', 4), 3)
    t.equal(session.delete('visits'), true)
    t.equal(session.delete('visits'), false)
    session.names = ['a']
    session.setOwner('user-1')
    t.same(session.data(), { names: ['a'] })
    t.not(session.data(), session)
    session.clear()
    t.same(session.data(), {})
    t.equal(session.ownerId, undefined)
  })
})

t.test('a method is not a value: inherited names are no data', async (t) => {
  await within(undefined, ({ session }) => {
    const untyped = session as unknown as { get(key: string): unknown; has(key: string): boolean }
    t.equal(untyped.get('get'), undefined)
    t.equal(untyped.get('toString'), undefined)
    t.equal(untyped.has('constructor'), false)
  })
})

t.test('no inherited name can be overwritten, in any way of writing', async (t) => {
  await within(undefined, ({ session }) => {
    const names = [RequestSession.prototype, Object.prototype].flatMap(Object.getOwnPropertyNames)
    t.ok(names.includes('__proto__') && names.includes('destroy') && names.includes('hasOwnProperty'))
    for (const name of new Set(names)) {
      if (WRITABLE.includes(name)) continue
      const untyped = session as unknown as Record<string, unknown> & { set(key: string, value: unknown): void }
      const code: SessionErrorCode = 'ERR_SESSION_RESERVED_KEY'
      const cause = { message: `session.${name} cannot hold data.` }
      t.throws(() => (untyped[name] = { polluted: true }), { code, message: /^Data cannot have the name/, cause }, name)
      t.throws(() => untyped.set(name, 1), { code }, name)
      t.throws(() => Object.assign(session, JSON.parse(`{${JSON.stringify(name)}:{"polluted":true}}`)), { code })
    }
    t.equal(({} as { polluted?: boolean }).polluted, undefined)
    t.equal(Object.getPrototypeOf(session), RequestSession.prototype)
    t.equal(typeof session.destroy, 'function')
    t.same(Object.keys(session), [])
  })
})

t.test('set refuses at once what JSON cannot hold, and says where it is', async (t) => {
  await within(undefined, ({ session }) => {
    t.throws(() => session.set('anything', { list: [new Date(0)] }), {
      code: 'ERR_SESSION_VALUE',
      cause: { message: /session\.anything\.list\[0\] holds an instance of Date/ }
    })
    t.equal(session.has('anything'), false)
    t.throws(() => session.setDefault('anything', () => 1), { code: 'ERR_SESSION_VALUE' })
  })
})

t.test('keys are strings', async (t) => {
  await within({ visits: 1 }, ({ session }) => {
    const untyped = session as unknown as Record<string, (...args: unknown[]) => unknown>
    for (const method of ['get', 'set', 'has', 'pop', 'setDefault', 'delete']) {
      t.throws(() => untyped[method]?.(1), { code: 'ERR_SESSION_VALUE' }, method)
    }
    t.throws(() => untyped.delete?.(), { code: 'ERR_SESSION_VALUE', message: /call session\.destroy\(\)/ })
    t.throws(() => untyped.get?.(null), { message: /it got null/ })
    t.equal(session.visits, 1, 'a logout as @fastify/secure-session writes it is never silently nothing')
  })
})

t.test('a callback is refused at once by every method that takes no function', async (t) => {
  const next = await within({ visits: 1 }, ({ session }) => {
    const untyped = session as unknown as Record<string, (...values: unknown[]) => unknown>
    const callback = (): void => {}
    const code: SessionErrorCode = 'ERR_SESSION_VALUE'
    for (const method of ['commit', 'destroy', 'regenerate', 'reload', 'renew']) {
      t.throws(() => untyped[method]?.(callback), { code, message: /returns a promise; it takes no callback/ }, method)
    }
    t.throws(() => untyped.regenerate?.(['visits'], callback), { code })
    t.throws(() => untyped.update?.(callback, callback), { code, message: /update\(\) returns a promise/ })
    for (const method of ['touch', 'clear', 'data', 'size', 'options', 'setOwner', 'has', 'delete']) {
      t.throws(() => untyped[method]?.(callback), { code, message: /takes no callback: it is done/ }, method)
    }
    for (const method of ['set', 'setDefault']) t.throws(() => untyped[method]?.('name', callback), { code }, method)
    t.equal(untyped.get?.('name', callback), callback, 'a fallback can be a function')
    t.equal(untyped.pop?.('name', callback), callback)
  })
  t.same(next, { visits: 1 }, 'and nothing has happened')
})

t.test('life is read through dates', async (t) => {
  const next = await within(
    { visits: 1 },
    ({ session }) => {
      t.equal(typeof session.id, 'string')
      t.equal(session.isNew, false)
      t.same(session.createdAt, START)
      t.same(session.expiresAt, new Date((NOW + 100) * 1000))
      t.equal(session.permanent, false)
      session.permanent = true
      t.equal(session.permanent, true)
      t.throws(() => ((session as { permanent: unknown }).permanent = 'yes'), { code: 'ERR_SESSION_VALUE' })
      t.match(session.size(), { limit: 4096, keys: { visits: 10 } })
    },
    { idleTimeout: 100 }
  )
  t.same(next, { visits: 1 })
})

t.test('renew changes the id and nothing else; regenerate keeps only the keys that are named', async (t) => {
  await within({ visits: 1, name: 'Ana' }, async ({ session }) => {
    const ids = [session.id]
    await session.renew()
    ids.push(session.id)
    t.same(session.data(), { visits: 1, name: 'Ana' })
    t.equal(session.isNew, false)
    await session.regenerate(['name'])
    ids.push(session.id)
    t.same(session.data(), { name: 'Ana' })
    t.equal(session.isNew, true)
    await session.regenerate()
    ids.push(session.id)
    t.same(session.data(), {})
    t.equal(new Set(ids).size, 4)
  })
})

t.test('destroy empties the session and is final', async (t) => {
  const next = await within({ visits: 1 }, async ({ session }) => {
    await session.destroy()
    t.same(session.data(), {})
    session.set('visits', 2)
    t.equal(session.get('visits'), 2, 'what other plugins call after a logout does not throw')
    await t.rejects(
      session.update((data) => (data.visits = 1)),
      { code: 'ERR_SESSION_DESTROYED' }
    )
  })
  t.same(next, {})
})

t.test('a session ends even if the application froze it', async (t) => {
  const next = await within({ visits: 1 }, async ({ session }) => {
    Object.freeze(session)
    await session.destroy()
  })
  t.same(next, {})
})

t.test('what is passed by mistake does not stand in the message', async (t) => {
  await within(undefined, ({ session }) => {
    const untyped = session as unknown as { set(value: object): void; setOwner(value: unknown): void }
    for (const run of [() => untyped.set({ password: 'hunter2' }), () => untyped.setOwner({ hash: 'hunter2' })]) {
      const error = t.throws(run, { code: 'ERR_SESSION_VALUE' }) as Error
      t.notMatch(error.message, /hunter2/)
    }
    t.throws(() => untyped.setOwner('hunter2'.repeat(50)), { message: /a string of 350 characters/ })
  })
})

t.test('regenerate takes an array', async (t) => {
  await within({ cart: { a: 1 } }, async ({ session }) => {
    await t.rejects(session.regenerate('cart' as unknown as []), { code: 'ERR_SESSION_VALUE' })
  })
})

t.test('delete removes a key that holds undefined', async (t) => {
  await within({ visits: 1 }, ({ session }) => {
    session.visits = undefined
    t.equal(session.delete('visits'), false)
    t.equal('visits' in session, false)
  })
})

t.test('setOwner takes the id of an owner', async (t) => {
  await within(undefined, ({ session }) => {
    session.setOwner('user-1')
    t.equal(session.ownerId, 'user-1')
    for (const bad of ['', 1, undefined, null, 'x'.repeat(256), '\ud800', '\0', 'a\0b']) {
      t.throws(() => session.setOwner(bad as string), { code: 'ERR_SESSION_VALUE' }, inspect(bad))
    }
    session.setOwner('x'.repeat(255))
    t.equal(session.ownerId?.length, 255)
  })
})

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`in ${mode} mode`, async (t) => {
    t.test('stored data whose key is the name of a member are left out, and the trace says so', async (t) => {
      const { app, logs } = await createApp(options)
      app.get('/reload', async ({ session }) => {
        await session.reload()
        return session
      })
      app.get('/', async ({ session }) => {
        t.equal(typeof session.destroy, 'function')
        t.equal((session as { polluted?: boolean }).polluted, undefined)
        return session
      })
      // As an older version of the package would have stored it, in which `destroy` was an ordinary key.
      const issue = async (json: string): Promise<string> => {
        const facts = { createdAt: NOW, lastSeenAt: NOW, permanent: false, ownerId: undefined, extensions: undefined }
        const { sessionContext } = await import('../../lib/request/session-context.ts')
        return sessionContext(app, 'session')?.factory.issue({ ...facts, json }) as Promise<string>
      }
      const reasons = (): (string | undefined)[] => logs.flatMap(({ session }) => session?.reason ?? [])
      const clean = await issue('{"visits":1}')
      await app.inject({ url: '/', headers: { cookie: clean } })
      t.notOk(reasons().includes('reserved-key'))
      const cookie = await issue('{"visits":1,"destroy":2,"__proto__":{"polluted":true},"name":"Ana"}')
      t.same((await app.inject({ url: '/', headers: { cookie } })).json(), { visits: 1, name: 'Ana' })
      t.ok(reasons().includes('reserved-key'))
      const count = (): number => reasons().filter((reason) => reason === 'reserved-key').length
      const before = count()
      const other = await issue('{"visits":1,"destroy":2}')
      await app.inject({ url: '/reload', headers: { cookie: other } })
      t.equal(count(), before + 2, 'at the first access, and again at reload()')
    })

    t.test('reload forgets what the request changed', async (t) => {
      const next = await within(
        { name: 'Ana', visits: 7 },
        async ({ session }) => {
          session.name = 'Ben'
          session.setOwner('ben')
          await session.reload()
          t.same(session.data(), { name: 'Ana', visits: 7 })
          t.equal(session.ownerId, undefined)
        },
        options
      )
      t.same(next, { name: 'Ana', visits: 7 })
      await within(
        undefined,
        async ({ session }) => {
          session.name = 'Ben'
          session.setOwner('ben')
          session.permanent = true
          await session.reload()
          t.match(session, { ownerId: undefined, permanent: false })
          t.same(session.data(), {})
        },
        options
      )
    })

    t.test('reload of a destroyed session is empty', async (t) => {
      await within(
        { name: 'Ana' },
        async ({ session }) => {
          await session.destroy()
          session.name = 'Ben'
          await session.reload()
          t.same(session.data(), {})
        },
        options
      )
    })

    t.test('update applies its changes as one step, or none of them', async (t) => {
      const next = await within(
        { visits: 1, name: 'Ana', cart: { a: 1 } },
        async ({ session }) => {
          const result = await session.update((data) => {
            data.visits = (data.visits ?? 0) + 1
            data.cart = { ...data.cart, b: 2 }
            delete data.name
            return data.visits
          })
          t.equal(result, 2)
          t.same(session.data(), { visits: 2, cart: { a: 1, b: 2 } })
          const broken: readonly [(data: object) => unknown, { message?: string; code?: SessionErrorCode }][] = [
            [
              () => {
                throw new Error('no')
              },
              { message: 'no' }
            ],
            [() => Promise.reject(new Error('no')), { message: 'no' }],
            [(data) => Object.assign(data, { anything: new Date() }), { code: 'ERR_SESSION_VALUE' }],
            [(data) => Object.assign(data, { destroy: 1 }), { code: 'ERR_SESSION_RESERVED_KEY' }]
          ]
          for (const [change, error] of broken) {
            const updating = session.update((data) => {
              data.visits = 100
              return change(data)
            })
            const thrown = await updating.catch((thrown: unknown) => thrown)
            t.match(thrown, error)
          }
          t.same(session.data(), { visits: 2, cart: { a: 1, b: 2 } })
        },
        options
      )
      t.same(next, { visits: 2, cart: { a: 1, b: 2 } })
    })

    t.test('update waits for the promises of other libraries and realms, too', async (t) => {
      const finish = (data: { visits?: number | undefined }, done: (value: string) => void): void => {
        data.visits = 2
        done('2')
      }
      const next = await within(
        { visits: 1 },
        async ({ session }) => {
          const result = await session.update((data) => {
            // biome-ignore lint/suspicious/noThenProperty: a promise of another library
            return { then: (done: (value: string) => void) => setImmediate(finish, data, done) }
          })
          t.equal(result, '2')
          t.equal(session.visits, 2)
        },
        options
      )
      t.same(next, { visits: 2 })
    })

    t.test('update does not undo what is set beside it while it waits', async (t) => {
      const next = await within(
        { visits: 1 },
        async ({ session }) => {
          const updated = session.update(async (data) => {
            await Promise.resolve()
            data.visits = 2
          })
          session.name = 'Ana'
          await updated
          t.same(session.data(), { visits: 2, name: 'Ana' })
        },
        options
      )
      t.same(next, { visits: 2, name: 'Ana' })
    })

    t.test('a hundred updates of one request make a hundred, and one that fails holds up none', async (t) => {
      const increment = (data: { visits?: number | undefined }): void => {
        data.visits = (data.visits ?? 0) + 1
      }
      const next = await within(
        { name: 'Ana' },
        async ({ session }) => {
          const updates = Array.from({ length: 50 }, () => session.update(increment))
          if (isSelfContained) t.equal(session.visits, 50, 'at once, where the function does not wait')
          await Promise.all(updates)
          const waiting = Array.from({ length: 50 }, () =>
            session.update(async (data) => {
              await Promise.resolve()
              increment(data)
            })
          )
          const failing = session.update(() => Promise.reject(new Error('no')))
          await Promise.all([...waiting, t.rejects(failing, { message: 'no' }), session.update(increment)])
          t.equal(session.visits, 101)
        },
        options
      )
      t.equal(next.visits, 101)
    })

    if (isSelfContained) return
    t.test('update runs on what other requests have written, and leaves what was set beside it', async (t) => {
      const next = await within(
        { visits: 1, name: 'Ana' },
        async ({ session, elsewhere }) => {
          await elsewhere((other) => {
            other.visits = 5
            other.userId = 7
          })
          const updating = session.update(async (data) => {
            data.visits = (data.visits ?? 0) + 1
            delete data.name
            return data.visits
          })
          session.role = 'guest'
          t.equal(await updating, 6)
          t.same(session.data(), { visits: 6, userId: 7, role: 'guest' })
        },
        options
      )
      t.same(next, { visits: 6, userId: 7, role: 'guest' })
    })

    t.test('reload of a session that another request has ended fails', async (t) => {
      await within(
        { visits: 1 },
        async ({ session, elsewhere }) => {
          await elsewhere((other) => other.destroy())
          await t.rejects(session.reload(), { code: 'ERR_SESSION_GONE', statusCode: 409 })
        },
        options
      )
    })
  })
}

t.test('what is not a session, but looks like one, has no properties, and its methods say what is wrong', async (t) => {
  await within({ visits: 1 }, ({ session }) => {
    const lookalikes: readonly Session[] = [new Proxy(session, {}), Object.create(session)]
    for (const lookalike of lookalikes) {
      t.equal(lookalike.visits, 1)
      for (const name of ['id', 'isNew', 'createdAt', 'expiresAt', 'ownerId', 'permanent'] as const) {
        t.equal(lookalike[name], undefined, name)
      }
      const message = /^session\.\w+ was used on something that is not a session/
      for (const name of ['get', 'set', 'data', 'destroy', 'update', 'commit'] as const) {
        const method = lookalike[name] as (this: unknown, ...values: unknown[]) => unknown
        t.throws(() => method.call(lookalike, 'visits'), { code: 'ERR_SESSION_VALUE', message }, name)
      }
      const outlive = (): unknown => Object.assign(lookalike, { permanent: true })
      t.throws(outlive, { code: 'ERR_SESSION_VALUE', message })
      t.doesNotThrow(() => inspect(lookalike))
      t.equal(JSON.stringify({ ...lookalike }).includes('life'), false)
    }
    const { get } = session
    t.throws(() => get('visits' as never), { code: 'ERR_SESSION_VALUE' })
    t.equal(typeof session.constructor, 'function')
    t.throws(() => structuredClone(session.get), { name: 'DataCloneError' })
    t.same(structuredClone(session), { visits: 1 })
  })
})

t.test('a logger that redacts paths of a session does not fail', async (t) => {
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  const { app } = await createApp(
    {},
    { logger: { stream, redact: ['session.visits', 'session.id', 'session.cart.a'] } }
  )
  app.get('/', async (request) => {
    request.log.info({ session: request.session }, 'redacted')
    return 'ok'
  })
  const cookie = await sessionCookie(app, { visits: 1, cart: { a: 1 } })
  t.equal((await app.inject({ url: '/', headers: { cookie } })).statusCode, 200)
  const line = lines.find((line) => line.includes('redacted'))
  t.match(JSON.parse(line ?? ''), { session: { visits: '[Redacted]', cart: { a: '[Redacted]' } } })
})

t.test('the state is no member: data may have its name', async (t) => {
  await within({ stateOf: 'mine', isSession: 'mine' }, async ({ session }) => {
    const { stateOf, isSession } = RequestSession
    t.equal(isSession(session), true)
    t.equal(stateOf(session as unknown as RequestSession).openReason, 'opened')
    t.same(session.data(), { stateOf: 'mine', isSession: 'mine' })
    t.equal(stateOf(session as unknown as RequestSession).isDestroyed, false)
    await session.destroy()
    t.equal(stateOf(session as unknown as RequestSession).isDestroyed, true)
  })
  for (const other of [undefined, null, 1, {}, 'text']) t.equal(RequestSession.isSession(other), false)
})

for (const { mode, options } of MODES) {
  t.test(`an enumerable member of Object.prototype is no data, in ${mode} mode`, async (t) => {
    Object.defineProperty(Object.prototype, 'oldLibrary', {
      value: () => 1,
      writable: true,
      enumerable: true,
      configurable: true
    })
    t.teardown(() => Reflect.deleteProperty(Object.prototype, 'oldLibrary'))
    const next = await within(
      { visits: 1, cart: { a: 1 } },
      ({ session }) => {
        t.equal(session.get('visits'), 1)
        session.visits = 2
        session.anything = { list: [{ deep: true }] }
      },
      options
    )
    t.same(Object.keys(next), ['visits', 'cart', 'anything'])
  })
}
