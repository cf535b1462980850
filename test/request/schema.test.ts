import t from 'tap'
import { z } from 'zod'
import { createClient } from '../../lib/testing/create-client.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'

const schema = z
  .object({ visits: z.number().int(), name: z.string().max(10), cart: z.record(z.string(), z.number()) })
  .partial()

const REFUSED = { statusCode: 500, code: 'ERR_SESSION_SCHEMA' }

/** Creates an application in which each route runs a function on the session. */
async function createVisitor(options: LooseOptions, data?: object) {
  const { app, logs } = await createApp({ schema, ...options })
  let act: (session: Record<string, unknown> & { set(key: string, value: unknown): void }) => unknown = () => ''
  app.get('/', async ({ session }) => (await act(session as never)) ?? 'done')
  app.get('/data', async ({ session }) => session.data())
  const visitor = await createClient(app, data && { data })
  return {
    visitor,
    logs,
    run: (next: typeof act) => {
      act = next
      return visitor.get('/')
    }
  }
}

for (const { mode, options } of MODES) {
  t.test(`${mode}: data that the schema refuses are not saved`, async (t) => {
    const { visitor, run, logs } = await createVisitor(options, { visits: 1, cart: { tea: 1 } })
    let reply = await run((session) => {
      session.visits = 'secret-1'
    })
    t.match(reply.json(), { ...REFUSED, message: /refuses its data/ })
    t.notMatch(reply.body, /visits|secret-1/)
    t.equal(reply.headers['set-cookie'], undefined)
    const decisions = await decisionsOf(async () => {
      reply = await run((session) => {
        ;(session.cart as Record<string, unknown>).coffee = 'secret-2'
      })
    })
    t.match(reply.json(), REFUSED, 'nested data, too')
    t.ok(decisions.includes('commit: invalid-data'))
    t.same((await visitor.get('/data')).json(), { visits: 1, cart: { tea: 1 } })
    const text = JSON.stringify(logs)
    t.match(text, /session\.visits: Invalid input: expected number, received a? ?string/)
    t.match(text, /session\.cart\.coffee/)
    t.notMatch(text, /secret-/)
  })

  t.test(`${mode}: data that fit are saved, with members that the schema does not know`, async (t) => {
    const { visitor, run } = await createVisitor(options)
    await run((session) => {
      session.visits = 1
      session.other = ['kept']
    })
    t.same((await visitor.get('/data')).json(), { visits: 1, other: ['kept'] })
  })

  t.test(`${mode}: set() refuses a value at once, and the session stays as it is`, async (t) => {
    const { visitor, run } = await createVisitor(options, { name: 'ada' })
    const reply = await run((session) => {
      t.throws(() => session.set('name', 'a name that is too long'), { ...REFUSED, issues: [{ path: ['name'] }] })
      t.throws(() => session.set('cart', { tea: 'two' }), { ...REFUSED, issues: [{ path: ['cart', 'tea'] }] })
      session.set('visits', 1)
      session.set('name', undefined)
    })
    t.equal(reply.statusCode, 200)
    t.same((await visitor.get('/data')).json(), { visits: 1 })
  })

  t.test(`${mode}: set() takes a member that only fits together with others`, async (t) => {
    const ordered = schema.refine(({ visits, name }) => name === undefined || visits !== undefined, { path: ['name'] })
    const { visitor, run } = await createVisitor({ ...options, schema: ordered })
    const reply = await run((session) => {
      t.throws(() => session.set('name', 'ada'), { ...REFUSED, issues: [{ path: ['name'] }] })
      session.set('visits', 1)
      session.set('name', 'ada')
    })
    t.equal(reply.statusCode, 200)
    t.same((await visitor.get('/data')).json(), { visits: 1, name: 'ada' })
  })

  t.test(`${mode}: what a validator throws reaches no client`, async (t) => {
    const { '~standard': standard } = schema
    const validate = (value: unknown) => {
      const { name } = value as { name?: string }
      if (name !== undefined) throw new TypeError(`cannot read ${name}`)
      return { value }
    }
    const { visitor, run } = await createVisitor({ ...options, schema: { '~standard': { ...standard, validate } } })
    const decisions = await decisionsOf(async () => {
      const reply = await run((session) => {
        session.name = 'secret'
      })
      t.match(reply.json(), REFUSED)
      t.notMatch(reply.body, /secret/)
    })
    t.ok(decisions.includes('commit: invalid-data'))
    t.equal(visitor.jar.header('/'), '')
  })

  t.test(`${mode}: commit() and update() throw to the handler`, async (t) => {
    const { visitor, run } = await createVisitor(options, { visits: 1 })
    const reply = await run(async (session) => {
      const { commit, update } = session as unknown as {
        commit(): Promise<void>
        update(change: (data: Record<string, unknown>) => void): Promise<void>
      }
      const refused = update.call(session, (data) => {
        data.visits = 1.5
      })
      await t.rejects(refused, { ...REFUSED, issues: [{ path: ['visits'] }] })
      t.equal(session.visits, 1, 'an update that is refused changes nothing')
      session.visits = '2'
      await t.rejects(commit.call(session), REFUSED)
      session.visits = 2
    })
    t.equal(reply.statusCode, 200, 'the handler has mended it')
    t.same((await visitor.get('/data')).json(), { visits: 2 })
  })

  t.test(`${mode}: what does not change is not judged`, async (t) => {
    let judged = 0
    const counting = schema.refine(() => {
      judged++
      return true
    })
    const { run } = await createVisitor({ ...options, schema: counting }, { visits: 1 })
    judged = 0
    await run((session) => session.visits)
    await run((session) => {
      session.visits = 1
    })
    await run((session) => (session as unknown as { renew(): Promise<void> }).renew())
    t.equal(judged, 0)
    await run((session) => {
      session.visits = 2
    })
    t.equal(judged, 1)
  })
}

t.test('an error handler that mends the session can answer', async (t) => {
  const { app } = await createApp({ schema })
  app.setErrorHandler(async (error: { code: string }, { session }) => {
    session.visits = 1
    return error.code
  })
  app.get('/', async ({ session }) => {
    session.visits = 'one' as never
    return ''
  })
  const visitor = await createClient(app)
  t.equal((await visitor.get('/')).body, 'ERR_SESSION_SCHEMA')
  t.same((await visitor.session()).data, { visits: 1 })
})

t.test('a schema that answers with a promise fails at start, or the first request that shows it', async (t) => {
  const late = z.object({ visits: z.number().refine(async () => true) }).partial()
  const { run } = await createVisitor({ schema: late })
  const decisions = await decisionsOf(async () => {
    const reply = await run((session) => {
      session.visits = 1
    })
    t.match(reply.json(), { code: 'ERR_SESSION_SCHEMA_ASYNC' })
  })
  t.ok(decisions.includes('commit: invalid-data'))
  const { '~standard': standard } = schema
  const always = { '~standard': { ...standard, validate: async () => ({ value: {} }) } }
  await t.rejects(createApp({ schema: always }), { code: 'ERR_SESSION_SCHEMA_ASYNC' })
})
