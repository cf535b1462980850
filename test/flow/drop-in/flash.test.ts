import flash from '@fastify/flash'
import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import type { Client } from '../../../lib/testing/create-client.ts'
import { createClient } from '../../../lib/testing/create-client.ts'
import { setCookieLines } from '../../../lib/testing/set-cookie.ts'
import type { LooseOptions } from '../../helpers/app.ts'
import { createApp, MODES } from '../../helpers/app.ts'

/** An application with @fastify/flash, and its visitor. `/all` and `/one` take the messages; `/stored` looks at what is kept. */
async function open(t: Test, options: LooseOptions): Promise<{ app: FastifyInstance; visitor: Client }> {
  const { app } = await createApp(options)
  t.teardown(() => app.close())
  await app.register(flash)
  app.get('/all', async (_request, reply) => reply.flash())
  app.get('/one', async (_request, reply) => reply.flash('info'))
  app.get('/stored', async ({ session }) => session)
  return { app, visitor: await createClient(app) }
}

for (const { mode, options } of MODES) {
  t.test(`messages come with the next page, and once, in ${mode} sessions`, async (t) => {
    const { app, visitor } = await open(t, options)
    app.get('/add', async (request, reply) => {
      request.flash('info', 'saved')
      request.flash('info', ['twice', 'thrice'])
      return reply.redirect('/all')
    })
    const redirect = await visitor.get('/add')
    t.equal(redirect.statusCode, 302)
    t.equal(setCookieLines(redirect).length, 1, 'the cookie is on the redirect itself')
    t.same((await visitor.get('/all')).json(), { info: ['saved', 'twice', 'thrice'] })
    t.same((await visitor.get('/all')).json(), {}, 'a message is shown once')
  })

  t.test(`messages add up over requests, each under its type, in ${mode} sessions`, async (t) => {
    const { app, visitor } = await open(t, options)
    app.get<{ Params: { type: string; text: string } }>('/add/:type/:text', async (request) => ({
      count: request.flash(request.params.type, request.params.text)
    }))
    const count = async (path: string): Promise<number> => (await visitor.get(`/add/${path}`)).json().count
    t.same([await count('info/a'), await count('info/b'), await count('error/c'), await count('info/d')], [1, 2, 1, 3])
    t.same((await visitor.get('/one')).json(), ['a', 'b', 'd'])
    t.same((await visitor.get('/one')).json(), [], 'a type is taken alone')
    t.same((await visitor.get('/stored')).json(), { flash: { error: ['c'] } })
    t.same((await visitor.get('/all')).json(), { error: ['c'] })
  })

  t.test(`a message is formatted, kept and shown in one request, in ${mode} sessions`, async (t) => {
    const { app, visitor } = await open(t, options)
    app.get('/format', async (request, reply) => {
      request.flash('info', 'Hello %s, %s new', 'Ada', '3')
      return { info: reply.flash('info'), again: reply.flash('info'), unknown: reply.flash('nothing') }
    })
    t.same((await visitor.get('/format')).json(), { info: ['Hello Ada, 3 new'], again: [], unknown: [] })
  })

  t.test(`a look for messages where there are none leaves the rest of ${mode} sessions alone`, async (t) => {
    const { app, visitor } = await open(t, options)
    app.get('/set', async ({ session }) => {
      session.visits = 1
    })
    await visitor.get('/set')
    t.same((await visitor.get('/all')).json(), {})
    t.same((await visitor.get('/stored')).json(), { visits: 1, flash: {} })
  })

  t.test(`a message after a new id stays, after the end it goes, in ${mode} sessions`, async (t) => {
    const { app, visitor } = await open(t, options)
    app.get('/renew', async (request) => {
      request.flash('info', 'before')
      await request.session.renew()
      request.flash('info', 'after')
    })
    app.get('/regenerate', async (request) => {
      await request.session.regenerate(['flash'])
      request.flash('info', 'later')
    })
    app.get('/logout', async (request) => {
      await request.session.destroy()
      request.flash('info', 'after the end')
      return 'bye'
    })
    await visitor.get('/renew')
    await visitor.get('/regenerate')
    t.same((await visitor.get('/one')).json(), ['before', 'after', 'later'])
    await visitor.get('/renew')
    t.equal((await visitor.get('/logout')).statusCode, 200, 'a message after the end breaks nothing')
    t.same((await visitor.get('/all')).json(), {})
  })

  t.test(`messages of one visitor are nobody else's, in ${mode} sessions`, async (t) => {
    const { app, visitor } = await open(t, options)
    app.get('/add', async (request) => ({ count: request.flash('info', 'for Ada') }))
    const other = await createClient(app)
    await visitor.get('/add')
    t.same((await other.get('/all')).json(), {})
    t.same((await visitor.get('/all')).json(), { info: ['for Ada'] })
  })

  t.test(`a message that is none is an error, and leaves the ${mode} session as it was`, async (t) => {
    const { app, visitor } = await open(t, options)
    app.get('/add', async (request) => ({ count: request.flash('info', 'kept') }))
    app.get('/none', async (request) => (request.flash as (type: string) => number)('info'))
    await visitor.get('/add')
    t.equal((await visitor.get('/none')).statusCode, 500)
    t.same((await visitor.get('/all')).json(), { info: ['kept'] })
  })
}

t.test('@fastify/flash refuses to start without a session', async (t) => {
  await t.rejects(async () => fastify().register(flash), /session/)
})
