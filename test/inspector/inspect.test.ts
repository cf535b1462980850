import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { z } from 'zod'
import { Decisions } from '../../lib/inspector/decisions.ts'
import { inspect } from '../../lib/inspector/inspect.ts'
import type { Settings } from '../../lib/options.ts'
import { sessionContext } from '../../lib/request/session-context.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import type { SessionInspection } from '../../types/inspector.ts'
import { CIPHER } from '../format/samples.ts'
import type { Mode } from '../helpers/app.ts'
import { createApp, MODES } from '../helpers/app.ts'

/** Creates a visitor who can store a name and inspect the session. */
async function create({ options }: Mode) {
  const { app, clock } = await createApp({ ...options, idleTimeout: 100, absoluteTimeout: 1000, refreshAfter: 10 })
  const decisions = new Decisions()
  const look = (request: FastifyRequest): SessionInspection =>
    inspect(request, sessionContext(app, 'session')?.settings as Settings, decisions, CIPHER)
  let seen: SessionInspection | undefined
  app.get('/store', async ({ session }) => {
    session.names = ['Ada']
    session.setOwner('ana')
    return ''
  })
  app.get('/look', { config: { session: { touch: false } } }, async (request) => {
    seen = look(request)
    return ''
  })
  const visitor = await createClient(app)
  const lookAt = async (cookie = visitor.jar.header()): Promise<SessionInspection> => {
    await visitor.get('/look', { headers: cookie === '' ? {} : { cookie } })
    return seen as SessionInspection
  }
  return { app, clock, decisions, visitor, lookAt }
}

for (const mode of MODES) {
  t.test(`a ${mode.mode} session is shown with its cookie, its times and its size`, async (t) => {
    const { clock, decisions, visitor, lookAt } = await create(mode)
    const began = new Date(clock.now())
    await visitor.get('/store')
    const value = visitor.jar.get('session') ?? ''
    clock.advance(5)
    const { cookie, session, ...others } = await lookAt()
    t.match(others, {
      mode: mode.isSelfContained ? mode.mode : 'stored',
      cookieName: 'session',
      opened: 'opened',
      decisions: []
    })
    t.equal(others.at.getTime(), began.getTime() + 5000)
    t.match(cookie, { value, bytes: 'session'.length + value.length, limit: 4096 })
    t.equal(cookie?.parts.at(0)?.text, value.slice(0, 2))
    t.match(session, {
      isNew: false,
      ownerId: 'ana',
      permanent: false,
      device: undefined,
      data: { names: ['Ada'] },
      size: { keys: { names: 15 } }
    })
    const { createdAt, lastSeenAt, idleExpiresAt, absoluteExpiresAt } = session
    const sinceBegin = (date: Date): number => (date.getTime() - began.getTime()) / 1000
    t.same([createdAt, lastSeenAt, idleExpiresAt, absoluteExpiresAt].map(sinceBegin), [0, 0, 100, 1000])
    decisions.note(
      {
        request: { url: '/store', method: 'GET' } as FastifyRequest,
        decorator: 'session',
        cookieName: 'session',
        phase: 'commit',
        reason: 'created',
        id: session.id
      },
      began
    )
    t.match((await lookAt()).decisions, [{ committed: 'created' }])
  })

  t.test(`a ${mode.mode} session shows the version of the schema that its data have now`, async (t) => {
    const { visitor, lookAt } = await create(mode)
    await visitor.get('/store')
    t.equal((await lookAt()).session.schemaVersion, undefined)
    const schema = { schema: z.looseObject({}), schemaVersion: 2 }
    const migrated = await create({ ...mode, options: { ...mode.options, ...schema } })
    const cookie = await sessionCookie(migrated.app, { names: ['Ada'] }, { schemaVersion: 1 })
    t.equal((await migrated.lookAt(cookie)).session.schemaVersion, 2)
  })

  t.test(`a visitor without a ${mode.mode} session has none`, async (t) => {
    const { visitor, lookAt } = await create(mode)
    t.match(await lookAt(), {
      mode: mode.isSelfContained ? mode.mode : 'stored',
      cookie: undefined,
      opened: 'no-cookie',
      session: { isNew: true, ownerId: undefined, data: {} }
    })
    t.equal(visitor.jar.header(), '', 'and looking makes none')
  })

  t.test(`a ${mode.mode} cookie that does not open is shown with the reason`, async (t) => {
    const { visitor, lookAt } = await create(mode)
    visitor.jar.set('session', 'x')
    t.match(await lookAt(), { cookie: { value: 'x', parts: [{ name: 'unknown' }] }, opened: 'malformed' })
  })

  t.test(`of several ${mode.mode} cookies the genuine one is shown`, async (t) => {
    const { visitor, lookAt } = await create(mode)
    await visitor.get('/store')
    const value = visitor.jar.get('session')
    t.match(await lookAt(`session=x; session=${value}; other=z`), { cookie: { value }, opened: 'opened' })
    t.match(await lookAt('session=x; session=y'), { cookie: { value: 'y' }, opened: 'malformed' })
  })
}
