import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test(
      'a value that JSON cannot hold fails the request; the log has its path, and the client has not',
      async (t) => {
        const { app, logs } = await createApp(options)
        app.get('/', async ({ session }) => {
          session.anything = { 'ada@example.org': new Date(0) }
          return ''
        })
        const decisions = await decisionsOf(async () => {
          const response = await app.inject('/')
          t.match(response.json(), { statusCode: 500, code: 'ERR_SESSION_VALUE', message: /^JSON cannot hold/ })
          t.notMatch(response.body, 'ada')
        })
        t.equal(decisions.at(-1), 'commit: not-storable')
        const { err } = logs.find(({ level }) => level === 50) as unknown as { err: { message: string } }
        t.match(err.message, 'session.anything["ada@example.org"] holds an instance of Date')
      }
    )

    t.test('a reserved key fails the request; the log has it, and the client has not', async (t) => {
      const { app, logs } = await createApp(options)
      app.get('/:key', async ({ session, params }) => Object.assign(session, { [(params as { key: string }).key]: 1 }))
      const response = await app.inject('/renew')
      t.match(response.json(), { statusCode: 500, code: 'ERR_SESSION_RESERVED_KEY', message: /^Data cannot have/ })
      t.notMatch(response.body, 'renew')
      t.match(JSON.stringify(logs), 'session.renew cannot hold data')
    })

    t.test(
      'what only has the JSON of the saved data is no data either, whether or not activity is to be noted',
      async (t) => {
        class Model {
          readonly self = this
          toJSON(): object {
            return { id: 1 }
          }
        }
        for (const refreshAfter of [0, 3600]) {
          const { app } = await createApp({ ...options, refreshAfter })
          app.get(
            '/set',
            async ({ session }) => void Object.assign(session, { anything: { id: 1 }, cart: { a: { id: 1 } } })
          )
          app.get('/model', async ({ session }) => void Object.assign(session, { anything: new Model() }))
          app.get('/nested', async ({ session }) => {
            Object.assign(session.cart as object, { a: new Model() })
            await session.commit()
            return Object.assign(session.cart as object, { b: 2 }) && 'changed'
          })
          const visitor = await createClient(app)
          await visitor.get('/set')
          t.match((await visitor.get('/model')).json(), { statusCode: 500, code: 'ERR_SESSION_VALUE' })
          t.match((await visitor.get('/nested')).json(), { statusCode: 500, code: 'ERR_SESSION_VALUE' })
        }
      }
    )

    t.test('what JSON leaves out without a word fails the request, too', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.cart = { a: 1 }
        return ''
      })
      app.get('/bad/:kind', async (request) => {
        const kinds: Record<string, unknown> = {
          function: () => 1,
          symbol: Symbol('s'),
          nan: Number.NaN,
          map: new Map(),
          'symbol as key': { [Symbol('s')]: 1 },
          'not enumerable': Object.defineProperty({}, 'kept', { value: 1 })
        }
        const { kind } = request.params as { kind: string }
        if (kind === 'toJSON') Object.assign(request.session, { toJSON: () => ({}) })
        else if (kind === 'symbol in the session') Object.assign(request.session, { [Symbol('s')]: 1 })
        else if (kind === 'hidden in the session') Object.defineProperty(request.session, 'kept', { value: 1 })
        else request.session.anything = kinds[kind]
        return ''
      })
      const visitor = await createClient(app)
      await visitor.get('/set')
      const kinds = ['function', 'symbol', 'nan', 'map', 'toJSON', 'symbol as key', 'not enumerable']
      for (const kind of [...kinds, 'symbol in the session', 'hidden in the session']) {
        const url = `/bad/${encodeURIComponent(kind)}`
        for (const response of [await app.inject(url), await visitor.get(url)]) {
          t.match(response.json(), { code: 'ERR_SESSION_VALUE' }, kind)
        }
      }
    })

    t.test('an error handler can mend or end a session that could not be sent', async (t) => {
      const [tooMuch, code] = isSelfContained
        ? ['x'.repeat(5000), 'ERR_SESSION_TOO_LARGE']
        : [new Map(), 'ERR_SESSION_VALUE']
      const { app } = await createApp(options)
      app.setErrorHandler(async (error: Error & { code: string }, request, reply) => {
        if (request.url === '/mend') delete request.session.anything
        if (request.url === '/end') await request.session.destroy()
        return reply.code(413).send(error.code)
      })
      const grow = async ({ session }: { session: { name?: unknown; anything?: unknown } }): Promise<string> => {
        session.name = 'Ana'
        session.anything = tooMuch
        return ''
      }
      for (const url of ['/leave', '/mend', '/end']) app.get(url, grow)
      app.get('/', async ({ session }) => session)
      const visitor = await createClient(app)
      const left = await visitor.get('/leave')
      t.same([left.statusCode, left.body, setCookieLines(left)], [413, code, []])
      t.equal((await visitor.get('/mend')).statusCode, 413)
      t.same((await visitor.get('/')).json(), { name: 'Ana' })
      t.equal((await visitor.get('/end')).statusCode, 413)
      t.equal(visitor.jar.header(), '')
    })
  })
}
