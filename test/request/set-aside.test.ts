import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { sessionOf } from '../../lib/index.ts'
import { sessionContext } from '../../lib/request/session-context.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'

/** Creates an application that sets its session aside in the route `/aside`, before and after `run`. */
async function createAside(options: LooseOptions, run: (request: FastifyRequest, aside: () => void) => unknown) {
  const made = await createApp(options)
  const { app } = made
  app.get('/visit', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    session.setOwner('ada')
    return String(session.visits)
  })
  app.get('/aside', async (request) => {
    const aside = (): void => sessionContext(app, 'session')?.setAside(request)
    return (await run(request, aside)) ?? ''
  })
  return { ...made, visitor: await createClient(app) }
}

for (const { mode, options } of MODES) {
  t.test(`${mode}: a session that is set aside is empty, keeps nothing, and stays as it is`, async (t) => {
    const { visitor, clock, warnings } = await createAside(options, (request, aside) => {
      aside()
      const { session } = request
      const seen = [{ ...session }, session.ownerId, session.isNew, sessionOf(request)]
      session.visits = 7
      session.setOwner('ben')
      session.touch()
      return JSON.stringify(seen)
    })
    await visitor.get('/visit')
    clock.advance(3_600)
    const decisions = await decisionsOf(async () => {
      const response = await visitor.get('/aside')
      t.equal(response.body, '[{},null,true,null]')
      t.same(setCookieLines(response), [])
      t.equal(response.headers.vary, undefined)
    })
    t.same(decisions.slice(-2), ['open: token', 'commit: token'])
    t.match(warnings(), [{ reason: 'token' }])
    t.equal((await visitor.get('/visit')).body, '2')
  })

  t.test(`${mode}: so is one that the request has used already`, async (t) => {
    const { visitor, warnings } = await createAside(options, (request, aside) => {
      const { session } = request
      session.visits = 7
      session.setOwner('ben')
      aside()
      return JSON.stringify([{ ...session }, session === request.session, session.ownerId])
    })
    await visitor.get('/visit')
    const response = await visitor.get('/aside')
    t.equal(response.body, '[{},true,null]')
    t.same(setCookieLines(response), [])
    t.same(warnings(), [])
    t.equal((await visitor.get('/visit')).body, '2')
  })

  t.test(`${mode}: one that nobody looks at is untouched`, async (t) => {
    const { visitor, clock } = await createAside(options, (_request, aside) => aside())
    await visitor.get('/visit')
    clock.advance(3_600)
    const decisions = await decisionsOf(async () => t.same(setCookieLines(await visitor.get('/aside')), []))
    t.same(decisions.slice(-2), ['open: token', 'commit: untouched'])
  })

  t.test(`${mode}: what waits for it to be saved fails`, async (t) => {
    const { visitor } = await createAside(options, async ({ session }, aside) => {
      aside()
      await session.commit()
    })
    const response = await visitor.get('/aside')
    t.match(response.json(), { statusCode: 400, code: 'ERR_SESSION_TOKEN' })
    t.same(setCookieLines(response), [])
  })
}

t.test('a cookie that leads nowhere is left to the browser, too', async (t) => {
  for (const isUsed of [false, true]) {
    const { app, visitor } = await createAside(MODES[2]?.options ?? {}, ({ session }, aside) => {
      if (isUsed) session.get('visits')
      aside()
    })
    await visitor.get('/visit')
    await app.sessions.revokeAll('ada')
    t.same(setCookieLines(await visitor.get('/aside')), [])
  }
})
