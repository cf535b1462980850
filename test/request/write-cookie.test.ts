import type { FastifyServerOptions } from 'fastify'
import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { Session } from '../../types/index.ts'
import type { LooseOptions, TestApp } from '../helpers/app.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'

/** An application that sets, changes and destroys sessions. */
async function create(options: LooseOptions = {}, server: FastifyServerOptions = {}): Promise<TestApp> {
  const made = await createApp(options, server)
  const routes: Readonly<Record<string, (session: Session) => unknown>> = {
    '/set': (session) => session.set('visits', 1),
    '/destroy': (session) => session.destroy(),
    '/twice': async (session) => {
      session.visits = 1
      await session.commit()
      session.visits = 2
    },
    '/and-destroy': async (session) => {
      session.visits = 1
      await session.commit()
      await session.destroy()
    }
  }
  for (const [url, run] of Object.entries(routes)) {
    made.app.get(url, async ({ session }) => {
      await run(session)
      return 'ok'
    })
  }
  return made
}

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`the next cookie of a reply takes the place of the one before, in ${mode} mode`, async (t) => {
    const { app } = await create(options)
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('set-cookie', 'other=1')
    })
    const replies = { twice: await app.inject('/twice'), destroyed: await app.inject('/and-destroy') }
    t.match(setCookieLines(replies.twice), ['other=1', /^session=[\w.-]{20,};/])
    t.equal(setCookieLines(replies.twice).length, 2)
    t.match(setCookieLines(replies.destroyed), [
      'other=1',
      'session=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax'
    ])
  })

  t.test(`what a reply has set is still there after an error handler took it away, in ${mode} mode`, async (t) => {
    const { app } = await createApp(options)
    app.get('/', async ({ session }, reply) => {
      session.visits = 1
      await session.commit()
      reply.removeHeader('set-cookie')
      reply.raw.removeHeader('set-cookie')
      return 'ok'
    })
    const decisions = await decisionsOf(async () => {
      t.match(setCookieLines(await app.inject('/')), [/^session=[\w.-]{20,};/])
    })
    t.same(decisions, ['open: no-cookie', 'commit: created', 'commit: created'], 'with the reason that it had')
  })

  t.test(`a cookie that comes after the headers is lost, with one warning, in ${mode} mode`, async (t) => {
    const { app, warnings } = await create(options)
    app.get('/late', async ({ session }, reply) => {
      session.visits = 1
      await reply.send('ok')
      // What comes before them, while the store saves, is saved by the last hook.
      while (!reply.raw.headersSent) await new Promise(setImmediate)
      await session.renew()
      await session.commit()
      await session.destroy()
      await session.commit()
    })
    const visitor = await createClient(app)
    const decisions = await decisionsOf(async () => {
      await visitor.get('/late')
      await new Promise(setImmediate)
    })
    t.equal(decisions.filter((decision) => decision === 'commit: headers-sent').length, 1)
    t.match(warnings(), [{ reason: 'headers-sent' }])
    t.equal(warnings().length, 1)
    // In a store the first save may still be under way when the handler goes on, so that the new id can be saved with it.
    t.match((await visitor.session()).reason, isSelfContained ? 'opened' : /^(not-found|renamed)$/)
  })
}

t.test('session.options() takes cookie attributes, ignores other names and refuses wrong values', async (t) => {
  const { app } = await createApp()
  app.get('/', async ({ session }) => {
    const untyped = session as unknown as { options(attributes: unknown): void }
    for (const wrong of [undefined, null, 'text']) {
      t.throws(() => untyped.options(wrong), { code: 'ERR_SESSION_VALUE' })
    }
    t.throws(() => untyped.options({ path: 'x' }), { code: 'ERR_SESSION_OPTION_INVALID' })
    t.throws(() => untyped.options({ sameSite: 'none', secure: false }), { code: 'ERR_SESSION_COOKIE_RULE' })
    untyped.options({ userInfo: 'of another plugin', path: undefined })
    session.visits = 1
    return 'ok'
  })
  t.match(setCookieLines(await app.inject('/')), [/; Path=\/; /])
})

t.test(
  'a cookie that opens nothing may stay when the headers are sent, and one that opens a session may not',
  async (t) => {
    for (const { options, isSelfContained } of MODES) {
      const { app, warnings } = await create(options)
      app.get('/late-destroy', async ({ session }, reply) => {
        await reply.send('ok')
        await session.destroy()
        await session.commit()
      })
      const visitor = await createClient(app)
      await visitor.get('/set')
      await visitor.get('/late-destroy')
      await new Promise(setImmediate)
      t.equal(warnings().length, isSelfContained ? 1 : 0)
    }
  }
)
