import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { flaskCookie } from '../../lib/flask/index.ts'
import { MemoryStore } from '../../lib/index.ts'
import { requestSession } from '../../lib/request/get-session.ts'
import { RequestSession } from '../../lib/request/session.ts'
import type { Client } from '../../lib/testing/create-client.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { readSession } from '../../lib/testing/read-session.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { Session } from '../../types/index.ts'
import type { LooseOptions, TestApp } from '../helpers/app.ts'
import { createApp, decisionsOf, MODES, REVOCABLE, withOneStore } from '../helpers/app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

const MINUTE = 60
const DAY = 86_400
const MONTH = 30 * DAY
const INVALID = { code: 'ERR_SESSION_VALUE' }
const ALL_MODES = [...MODES, ...REVOCABLE]

interface Stage extends TestApp {
  /** Runs `act` in a handler, and returns the reply. */
  act(client: Client, act: (session: Session, request: FastifyRequest) => unknown): ReturnType<Client['get']>
  /** The same in another request of the same browser, which may come meanwhile. */
  meanwhile(client: Client, act: (session: Session) => unknown): Promise<unknown>
  /** The visits of the session, or `gone`. */
  read(client: Client): Promise<string>
  /** A visitor with a session. */
  visitor(): Promise<Client>
}

async function create(options: LooseOptions): Promise<Stage> {
  const made = await createApp(options)
  let running: (session: Session, request: FastifyRequest) => unknown = () => ''
  made.app.get('/act', async (request) => (await running(request.session, request)) ?? '')
  let other: (session: Session) => unknown
  made.app.get('/meanwhile', async ({ session }) => (await other(session)) ?? '')
  made.app.get('/read', async ({ session }) => session.visits ?? 'gone')
  made.app.get('/untouched', async () => 'ok')
  const act: Stage['act'] = (client, act) => {
    running = act
    return client.get('/act')
  }
  return {
    ...made,
    act,
    meanwhile(client, act) {
      other = act
      return made.app.inject({ url: '/meanwhile', headers: { cookie: client.jar.header() } })
    },
    read: async (client) => (await client.get('/read')).body,
    async visitor() {
      const client = await createClient(made.app)
      await act(client, (session) => {
        session.visits = 1
      })
      return client
    }
  }
}

function maxAgeIn(reply: Parameters<typeof setCookieLines>[0]): string | undefined {
  return /Max-Age=(\d+)/.exec(setCookieLines(reply).join())?.[1]
}

for (const { mode, options, isSelfContained } of ALL_MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('one has a shorter timeout than the others, to the second', async (t) => {
      const { act, read, visitor, clock } = await create({ ...options, refreshAfter: 0 })
      const [short, usual] = [await visitor(), await visitor()]
      const reply = await act(short, (session) => {
        t.equal(session.idleTimeout, DAY)
        session.idleTimeout = 5 * MINUTE
        t.equal(session.idleTimeout, 5 * MINUTE)
        t.equal(session.expiresAt.getTime(), clock.now() + 5 * MINUTE * 1000)
      })
      t.equal(setCookieLines(reply).length, 1)
      t.match(await short.session(), { idleTimeout: 5 * MINUTE, absoluteTimeout: MONTH })
      clock.advance(5 * MINUTE)
      t.equal(await read(short), '1', 'its last second')
      clock.advance(5 * MINUTE + 1)
      t.equal(await read(short), 'gone')
      t.equal(await read(usual), '1')
    })

    t.test('one has a longer timeout than the others, which its cookie shows: keep me logged in', async (t) => {
      const { act, read, visitor, clock } = await create({ ...options, maxIdleTimeout: MONTH })
      const [kept, usual] = [await visitor(), await visitor()]
      const reply = await act(kept, (session) => {
        session.permanent = true
        session.idleTimeout = MONTH
      })
      t.equal(maxAgeIn(reply), String(MONTH))
      clock.advance(DAY + 1)
      t.equal(await read(usual), 'gone')
      clock.advance(MONTH - DAY - 1)
      t.equal(await read(kept), '1', 'its last second')
      clock.advance(1)
      t.equal(await read(kept), 'gone', 'the absolute timeout is that of all')
    })

    t.test('a permanent cookie lives for a day, if nobody says more', async (t) => {
      const { act, visitor } = await create(options)
      const reply = await act(await visitor(), (session) => {
        session.permanent = true
      })
      t.equal(maxAgeIn(reply), String(DAY))
    })

    t.test('an absolute timeout of its own ends it whatever the activity', async (t) => {
      const { act, read, visitor, clock } = await create({ ...options, maxAbsoluteTimeout: 2 * MONTH, refreshAfter: 0 })
      const [short, long] = [await visitor(), await visitor()]
      await act(short, (session) => {
        session.absoluteTimeout = 2 * DAY
        t.equal(session.absoluteTimeout, 2 * DAY)
        t.equal(session.idleTimeout, DAY)
      })
      await act(long, (session) => {
        session.absoluteTimeout = 2 * MONTH
      })
      for (let day = 1; day <= 60; day++) {
        clock.advance(DAY)
        t.equal(await read(long), '1')
        t.equal(await read(short), day <= 2 ? '1' : 'gone', `day ${day}`)
      }
      clock.advance(1)
      t.equal(await read(long), 'gone')
    })

    t.test('a timeout that is over already ends it, and takes its cookie away', async (t) => {
      const { act, visitor, read, clock } = await create({ ...options, permanent: true })
      const client = await visitor()
      clock.advance(100)
      const reply = await act(client, (session) => {
        session.absoluteTimeout = 60
      })
      t.equal(maxAgeIn(reply), '0')
      t.equal(await read(client), 'gone')
    })

    t.test('activity keeps a session with a short timeout alive, also where nobody looks at the session', async (t) => {
      for (const path of ['/read', '/untouched']) {
        const { act, read, visitor, clock } = await create(options)
        const short = await visitor()
        await act(short, (session) => {
          session.idleTimeout = 30
        })
        for (let times = 0; times < 10; times++) {
          clock.advance(20)
          await short.get(path)
        }
        t.equal(await read(short), '1', path)
        clock.advance(31)
        t.equal(await read(short), 'gone', path)
      }
    })

    t.test('a session with a timeout of its own sends no more cookies than it has to', async (t) => {
      const { act, visitor, clock } = await create(options)
      const short = await visitor()
      await act(short, (session) => {
        session.idleTimeout = 5 * MINUTE
      })
      for (const path of ['/read', '/untouched', '/read', '/untouched']) {
        clock.advance(7)
        t.same(setCookieLines(await short.get(path)), [], path)
      }
      clock.advance(2)
      t.equal(setCookieLines(await short.get('/untouched')).length, 1, 'a tenth of its own')
      await act(short, (session) => {
        session.idleTimeout = undefined
      })
      clock.advance(59)
      t.same(setCookieLines(await short.get('/untouched')), [])
      clock.advance(1)
      t.equal(setCookieLines(await short.get('/untouched')).length, 1)
    })

    t.test('the same timeout is no change, and undefined takes it back', async (t) => {
      const { act, read, visitor, clock } = await create(options)
      const short = await visitor()
      const decide = (seconds: number | undefined) =>
        decisionsOf(() =>
          act(short, (session) => {
            session.idleTimeout = seconds
          })
        )
      t.same(await decide(300), ['open: opened', 'commit: changed'])
      t.same(await decide(300), ['open: opened', 'commit: unchanged'])
      t.same(await decide(undefined), ['open: opened', 'commit: changed'])
      t.same(await decide(undefined), ['open: opened', 'commit: unchanged'])
      await act(short, (session) => t.equal(session.idleTimeout, DAY))
      clock.advance(301)
      t.equal(await read(short), '1')
    })

    t.test('a new id keeps them, another session in its place does not', async (t) => {
      const { act, visitor } = await create(options)
      const client = await visitor()
      const timeouts = async () => {
        const { idleTimeout, absoluteTimeout } = await client.session()
        return [idleTimeout, absoluteTimeout]
      }
      await act(client, async (session) => {
        session.idleTimeout = 300
        session.absoluteTimeout = 600
        await session.renew()
      })
      t.same(await timeouts(), [300, 600])
      await act(client, (session) => session.setOwner('ada'))
      t.same(await timeouts(), [300, 600])
      await act(client, (session) =>
        session.update((data) => {
          data.visits = 2
        })
      )
      t.same(await timeouts(), [300, 600])
      await act(client, async (session) => {
        await session.regenerate(['visits'], { keepOwner: true })
        t.equal(session.idleTimeout, DAY)
      })
      t.same(await timeouts(), [DAY, MONTH])
    })

    t.test('a visitor without data gets no session by a timeout alone', async (t) => {
      const { act, app } = await create(options)
      const reply = await act(await createClient(app), (session) => {
        session.idleTimeout = 300
      })
      t.same(setCookieLines(reply), [])
    })

    t.test('caps that are lower at a later start hold for what was set before', async (t) => {
      const shared = withOneStore(options)
      const before = await create({ ...shared, maxIdleTimeout: MONTH, maxAbsoluteTimeout: 2 * MONTH })
      const after = await create({ ...shared, maxIdleTimeout: 2 * DAY, clock: before.clock.now })
      const client = await before.visitor()
      await before.act(client, (session) => {
        session.idleTimeout = MONTH
        session.absoluteTimeout = 2 * MONTH
      })
      const cookie = client.jar.header()
      const ask = async () => (await after.app.inject({ url: '/read', headers: { cookie } })).body
      t.match(await readSession(after.app, cookie), { idleTimeout: 2 * DAY, absoluteTimeout: MONTH })
      before.clock.advance(2 * DAY)
      t.equal(await ask(), '1')
      const { clock } = before
      clock.advance(1)
      t.equal(isSelfContained || mode.includes('revocable') ? await ask() : 'gone', 'gone')
    })

    t.test('what no session can have is refused at once', async (t) => {
      const { act, visitor } = await create({ ...options, maxIdleTimeout: 2 * DAY })
      await act(await visitor(), (session) => {
        for (const name of ['idleTimeout', 'absoluteTimeout'] as const) {
          for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, MONTH + 1, '60', null, 60n, {}]) {
            const message = new RegExp(`^session\\.${name} must be a whole number of seconds from 1 to `)
            t.throws(() => Object.assign(session, { [name]: value }), { ...INVALID, message }, String(value))
          }
        }
        t.throws(() => Object.assign(session, { idleTimeout: 2 * DAY + 1 }), {
          ...INVALID,
          message:
            'session.idleTimeout must be a whole number of seconds from 1 to 172800, or undefined for the option idleTimeout; it is 172801. For a longer one, set the option maxIdleTimeout.'
        })
        session.idleTimeout = 2 * DAY
        session.absoluteTimeout = 1
      })
    })

    t.test('a logout ends a session that is kept for long, also a copy of its cookie', async (t) => {
      const { act, app, visitor, clock, read } = await create({ ...options, maxIdleTimeout: MONTH, refreshAfter: 0 })
      const client = await visitor()
      await act(client, (session) => {
        session.idleTimeout = MONTH
      })
      const copy = client.jar.header()
      await act(client, (session) => {
        session.idleTimeout = undefined
      })
      await act(client, (session) => session.destroy())
      t.equal(await read(client), 'gone')
      for (let day = 0; day < 29; day++) {
        clock.advance(DAY)
        const reply = await app.inject({ url: '/read', headers: { cookie: copy } })
        if (!isSelfContained) t.equal(reply.body, 'gone', `day ${day}`)
      }
    })

    t.test('the testing kit makes sessions with timeouts of their own', async (t) => {
      const { app, clock, read } = await create({ ...options, maxIdleTimeout: MONTH })
      const client = await createClient(app, { data: { visits: 1 }, idleTimeout: MONTH, absoluteTimeout: DAY })
      t.match(await client.session(), { idleTimeout: MONTH, absoluteTimeout: DAY })
      t.equal((await client.session()).expiresAt?.getTime(), clock.now() + DAY * 1000)
      clock.advance(DAY + 1)
      t.equal(await read(client), 'gone')
      await t.rejects(sessionCookie(app, { visits: 1 }, { idleTimeout: MONTH + 1 }), INVALID)
      await t.rejects(sessionCookie(app, { visits: 1 }, { absoluteTimeout: 0 }), INVALID)
    })
  })
}

for (const { mode, options } of MODES.filter(({ isSelfContained }) => !isSelfContained)) {
  t.test(`${mode} sessions: what requests change at the same time is all there`, async (t) => {
    const { act, meanwhile, visitor } = await create(options)
    const client = await visitor()
    const others = async (): Promise<void> => {
      await meanwhile(client, (session) => {
        session.absoluteTimeout = 600
      })
      await meanwhile(client, (session) => {
        session.visits = 5
        session.permanent = true
      })
    }
    const together = { idleTimeout: 300, absoluteTimeout: 600 }
    for (const renews of [false, true]) {
      await act(client, async (session) => {
        session.idleTimeout = 300
        if (renews) await session.renew()
        await others()
      })
      t.match(await client.session(), { ...together, data: { visits: 5 }, permanent: true })
      await act(client, async (session) => {
        session.idleTimeout = undefined
        session.absoluteTimeout = undefined
      })
    }
    await act(client, async (session) => {
      session.idleTimeout = 300
      await others()
      await session.update((data) => {
        data.visits = 6
      })
      t.match(session, together)
    })
    t.match(await client.session(), { ...together, data: { visits: 6 } })
    await act(client, async (session) => {
      session.idleTimeout = 60
      await session.reload()
      t.match(session, together)
    })
  })

  t.test(`${mode} sessions: who knows nothing of a longer timeout does not take it back`, async (t) => {
    const { act, meanwhile, visitor, read, clock } = await create({
      ...options,
      maxIdleTimeout: MONTH,
      refreshAfter: 0
    })
    for (const visits of [1, 2]) {
      const client = await visitor()
      await act(client, async (session) => {
        session.touch()
        await meanwhile(client, (session) => {
          session.idleTimeout = MONTH
        })
        session.visits = visits
      })
      clock.advance(20 * DAY)
      t.equal(await read(client), String(visits))
      await act(client, async (session) => {
        session.touch()
        await meanwhile(client, (session) => session.destroy())
      })
      t.equal(await read(client), 'gone')
    }
  })

  t.test(`${mode} sessions: the owner sees when it ends, and a record is not kept for longer`, async (t) => {
    const { app, act, visitor, clock } = await create({ ...options, maxIdleTimeout: MONTH })
    const client = await visitor()
    const endOf = async () => {
      const [one] = await app.sessions.list('ada')
      return one && (one.expiresAt.getTime() - clock.now()) / 1000
    }
    await act(client, (session) => session.setOwner('ada'))
    t.equal(await endOf(), DAY)
    for (const seconds of [MONTH, 300, undefined]) {
      await act(client, (session) => {
        session.idleTimeout = seconds
      })
      t.equal(await endOf(), seconds ?? DAY)
    }
    await act(client, (session) => {
      session.idleTimeout = 300
    })
    clock.advance(301)
    t.same(await app.sessions.list('ada'), [])
  })
}

t.test('a guard knows that another request has shortened a timeout', async (t) => {
  // It forgets nothing.
  const store = new RecordingStore(new MemoryStore({ clock: () => 0, pruneInterval: 0 }))
  const { act, meanwhile, visitor, clock } = await create({ store })
  const client = await visitor()
  await act(client, async (session, request) => {
    await meanwhile(client, (other) => {
      other.idleTimeout = 300
    })
    clock.advance(300)
    await RequestSession.verify(requestSession(request, 'session'))
    t.equal(session.visits, 1)
    clock.advance(1)
    await RequestSession.verify(requestSession(request, 'session'))
    t.equal(session.visits, undefined)
  })
})

t.test('after a logout, no older session of the browser comes back, however long it is kept', async (t) => {
  for (const { mode, options } of MODES.filter(({ isSelfContained }) => isSelfContained)) {
    const { app, clock } = await create({ ...options, maxIdleTimeout: MONTH, maxAbsoluteTimeout: 2 * MONTH })
    app.get('/logout', async ({ session }) => session.destroy())
    const kept = await sessionCookie(app, { visits: 7 }, { idleTimeout: MONTH, absoluteTimeout: 2 * MONTH })
    clock.advance(1)
    const newer = await sessionCookie(app, { visits: 8 })
    const reply = await app.inject({ url: '/logout', headers: { cookie: `${newer}; ${kept}` } })
    t.equal(maxAgeIn(reply), String(MONTH), mode)
    const [after = ''] = setCookieLines(reply).map((line) => line.split(';', 1).join())
    const ask = async () => (await app.inject({ url: '/read', headers: { cookie: `${kept}; ${after}` } })).body
    for (let day = 0; day < 29; day++) {
      clock.advance(DAY)
      t.equal(await ask(), 'gone', `${mode}, day ${day}`)
    }
  }
})

t.test('a cookie of Flask has the same timeouts for all sessions', async (t) => {
  const secretKey = '3b9c0f5a7d1e48c2a6f0'
  const { act, app } = await create({ format: flaskCookie({ secretKey }), secret: undefined })
  await act(await createClient(app), (session) => {
    t.equal(session.idleTimeout, 31 * DAY)
    session.idleTimeout = undefined
    for (const name of ['idleTimeout', 'absoluteTimeout'] as const) {
      t.throws(() => Object.assign(session, { [name]: 60 }), {
        ...INVALID,
        message: `session.${name} cannot be set in the cookie of flask, which has the same timeouts for all sessions. Set the option ${name}.`
      })
    }
  })
})
