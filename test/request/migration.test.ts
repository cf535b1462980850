import t from 'tap'
import { z } from 'zod'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { SignedFormat } from '../../lib/format/signed.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import type { Client } from '../../lib/testing/create-client.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { SessionStore } from '../../types/store.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, decisionsOf, MODES, SECRET, START, withOneStore } from '../helpers/app.ts'

type Session = Record<string, unknown> & {
  renew(): Promise<void>
  destroy(): Promise<void>
  reload(): Promise<void>
  setOwner(owner: string): void
  update<T>(change: (data: Record<string, unknown>) => T): Promise<T>
}
type Act = (session: Session) => unknown

const V1 = { schema: z.looseObject({ name: z.string().optional(), visits: z.string().optional() }) }
const V2 = {
  schema: z.looseObject({ fullName: z.string().optional(), visits: z.number().optional() }),
  schemaVersion: 2,
  migrations: {
    2: ({ name, visits, ...others }: Record<string, unknown>) => ({ ...others, fullName: name, visits: Number(visits) })
  }
}
/** Accepts what version 2 writes, and is accepted by it. */
const V3 = {
  ...V2,
  schemaVersion: 3,
  migrations: { ...V2.migrations, 3: (data: object) => ({ ...data, isThird: true }) }
}

interface Server {
  readonly run: (
    client: Client,
    act: Act
  ) => Promise<{ readonly body: string; readonly statusCode: number; readonly cookie: string | undefined }>
  readonly client: (data?: object, others?: object) => Promise<Client>
  readonly warnings: () => readonly object[]
}

async function start(options: LooseOptions): Promise<Server> {
  const { app, warnings } = await createApp({ refreshAfter: 1000, ...options })
  let next: Act = () => ''
  app.get('/', async ({ session }) => (await next(session as never)) ?? '')
  return {
    warnings,
    client: (data, others) => createClient(app, { ...(data && { data }), ...others } as never),
    async run(client, act) {
      next = act
      const response = await app.inject({ url: '/', headers: { cookie: client.jar.header('/') } })
      client.jar.take(response, '/')
      const [cookie] = setCookieLines(response)
      return { body: response.body, statusCode: response.statusCode, cookie }
    }
  }
}

const read: Act = (session) => ({ ...session })

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    /** Servers that share a store, and a client with a session of the first. */
    async function servers(data: object, ...versions: LooseOptions[]) {
      const shared = withOneStore(options)
      const started = await Promise.all(versions.map((version) => start({ ...shared, ...version })))
      const client = await (started[0] as Server).client(data)
      return [client, ...started] as unknown as [Client, Server, Server, Server]
    }

    t.test('older data are migrated when they are read, and saved with the reply once', async (t) => {
      const [client, , v2] = await servers({ name: 'ada', visits: '3', other: [1] }, V1, V2)
      const expected = { fullName: 'ada', visits: 3, other: [1] }
      let reply = { body: '', cookie: undefined as string | undefined }
      const decisions = await decisionsOf(async () => {
        reply = await v2.run(client, read)
      })
      t.same(JSON.parse(reply.body), expected)
      t.same(decisions.slice(0, 2), ['open: opened', 'commit: migrated'])
      t.equal(reply.cookie !== undefined, isSelfContained)
      const again = await decisionsOf(async () => {
        reply = await v2.run(client, read)
      })
      t.same(JSON.parse(reply.body), expected)
      t.same(again, ['open: opened', 'commit: unchanged'])
    })

    t.test('data from before there was a schema are judged, and then current', async (t) => {
      const [client, , v1] = await servers({ name: 'ada' }, {}, V1)
      for (const reason of ['migrated', 'unchanged']) {
        const decisions = await decisionsOf(() => v1.run(client, read))
        t.ok(decisions.includes(`commit: ${reason}`), decisions.join())
      }
      const [wrong, , refusing] = await servers({ name: 7 }, {}, V1)
      t.ok((await decisionsOf(() => refusing.run(wrong, read))).includes('open: invalid-data'))
    })

    t.test('a change goes out with the migration', async (t) => {
      const [client, , v2] = await servers({ name: 'ada', visits: '3' }, V1, V2)
      await v2.run(client, (session) => {
        session.visits = (session.visits as number) + 1
      })
      t.same(JSON.parse((await v2.run(client, read)).body), { fullName: 'ada', visits: 4 })
      const [renewed, , other] = await servers({ name: 'ada', visits: '3' }, V1, V2)
      await other.run(renewed, async (session) => {
        await session.renew()
        session.visits = 5
      })
      t.same(JSON.parse((await other.run(renewed, read)).body), { fullName: 'ada', visits: 5 })
      const [updated, , third] = await servers({ name: 'ada', visits: '3' }, V1, V2)
      const reply = await third.run(updated, async (session) => {
        session.other = 1
        const changed = await session.update((data) => {
          data.visits = (data.visits as number) + 1
          return data
        })
        return { ...changed }
      })
      t.same(JSON.parse(reply.body), { fullName: 'ada', visits: 4, other: 1 })
      t.same(JSON.parse((await third.run(updated, read)).body), { fullName: 'ada', visits: 4, other: 1 })
    })

    t.test('data of a newer version are taken, and stay until they are changed', async (t) => {
      const [client, , v2, v3] = await servers({ fullName: 'ada', visits: 1 }, V3, V2, V3)
      const unchanged = await decisionsOf(() => v2.run(client, read))
      t.same(unchanged, ['open: opened', 'commit: unchanged'])
      t.same(await decisionsOf(() => v3.run(client, read)), ['open: opened', 'commit: unchanged'])
      await v3.run(client, (session) => {
        session.isThird = 'kept'
      })
      const reply = await v2.run(client, (session) => {
        session.visits = 2
      })
      t.equal(reply.statusCode, 200)
      // The older server could not judge what it has changed.
      const [marked, , older, newer] = await servers({ fullName: 'ada' }, V3, V2, V3)
      for (const [server, key] of [
        [older, 'one'],
        [newer, 'two']
      ] as const) {
        await server.run(marked, (session) => {
          session[key] = 1
        })
      }
      t.same(JSON.parse((await newer.run(marked, read)).body), { fullName: 'ada', one: 1, two: 1 })
      t.same(await decisionsOf(() => v3.run(client, read)), ['open: opened', 'commit: migrated'])
      t.same(await decisionsOf(() => v3.run(client, read)), ['open: opened', 'commit: unchanged'])
      t.same(JSON.parse((await v3.run(client, read)).body), { fullName: 'ada', visits: 2, isThird: 'kept' })
    })

    t.test('a server without a schema keeps the version, and the next with one judges', async (t) => {
      const [client, , none, v2] = await servers({ fullName: 'ada' }, V2, {}, V2)
      await none.run(client, read)
      t.same(await decisionsOf(() => v2.run(client, read)), ['open: opened', 'commit: unchanged'])
      await none.run(client, (session) => {
        session.visits = 'wrong'
      })
      t.ok((await decisionsOf(() => v2.run(client, read))).includes('open: invalid-data'))
      await none.run(client, (session) => session.update((data) => (data.visits = 5)))
      t.same(JSON.parse((await v2.run(client, read)).body), { fullName: 'ada', visits: 5 })
    })

    t.test('data that go on in a new session are not migrated twice', async (t) => {
      for (const older of [V1, {}]) {
        const [client, v2, other] = await servers({ fullName: 'ada', cart: 1 }, V2, older)
        await other.run(client, async (session) => {
          await (session as unknown as { regenerate(keep: string[]): Promise<void> }).regenerate(['fullName'])
          session.setOwner('7')
        })
        t.same(JSON.parse((await v2.run(client, read)).body), { fullName: 'ada' })
        await other.run(client, async (session) => {
          await (session as unknown as { regenerate(): Promise<void> }).regenerate()
          session.name = 'grace'
          session.visits = '1'
        })
        const { body } = await v2.run(client, read)
        t.same(JSON.parse(body), { fullName: 'grace', visits: 1 }, 'what is all new is migrated')

        await v2.run(client, (session) => {
          session._login = { id: '7' }
        })
        await other.run(client, async (session) => {
          await (session as unknown as { regenerate(keep: string[]): Promise<void> }).regenerate(['_login'])
          session.name = 'joan'
          session.visits = '2'
        })
        t.match(
          JSON.parse((await v2.run(client, read)).body),
          { fullName: 'joan', visits: 2 },
          'a login has no version'
        )
      }
    })

    t.test('data that do not fit are an empty session, and stay where they are', async (t) => {
      const [client, v1, v2] = await servers({ name: 7, visits: '1', note: 'secret' }, {}, V2)
      const before = client.jar.header('/')
      const reply = await v2.run(client, read)
      t.same([reply.statusCode, reply.body, reply.cookie], [200, '{}', undefined])
      t.equal(client.jar.header('/'), before)
      t.match(v2.warnings(), [{ reason: 'invalid-data', schemaVersion: 2, issues: [{ path: ['fullName'] }] }])
      t.notMatch(JSON.stringify(v2.warnings()), /secret/)
      t.same(JSON.parse((await v1.run(client, read)).body), { name: 7, visits: '1', note: 'secret' })
      await v2.run(client, (session) => {
        session.visits = 1
      })
      t.not(client.jar.header('/'), before)
      t.same(JSON.parse((await v2.run(client, read)).body), { visits: 1 })
    })

    t.test('a logout ends a session whose data do not fit', async (t) => {
      const [client, , v2] = await servers({ visits: 'x' }, {}, V2)
      const { cookie } = await v2.run(client, (session) => session.destroy())
      t.match(cookie, /Max-Age=0/)
    })

    t.test('onInvalidData may mend data', async (t) => {
      const seen: object[] = []
      const mending = {
        ...V2,
        onInvalidData: (data: object, info: object) => {
          seen.push({ data, info })
          return { fullName: 'nobody' }
        }
      }
      const [client, , v2] = await servers({ name: 7 }, {}, mending)
      t.same(JSON.parse((await v2.run(client, read)).body), { fullName: 'nobody' })
      t.same(JSON.parse((await v2.run(client, read)).body), { fullName: 'nobody' })
      t.match(seen, [{ data: { name: 7 }, info: { version: undefined, schemaVersion: 2 } }], 'once: it is saved')
    })
  })
}

/** Lets a test do something between what a server loads and what it writes. */
function meddling(store: SessionStore): {
  store: SessionStore
  before: (method: 'commit' | 'load', act: () => unknown) => void
} {
  const acts = new Map<string, () => unknown>()
  const proxy = new Proxy(store, {
    get(target, name: keyof SessionStore) {
      // The calls wait for what the test does.
      if (name === 'loadsAtOnce') return undefined
      const method = target[name] as (...values: unknown[]) => unknown
      return async (...values: unknown[]) => {
        const act = acts.get(name)
        acts.delete(name)
        await act?.()
        return method.apply(target, values)
      }
    }
  })
  return { store: proxy, before: (method, act) => acts.set(method, act) }
}

async function meddled(versions: LooseOptions[], data: object) {
  const memory = new MemoryStore({ clock: () => START.getTime() })
  const { store, before } = meddling(memory)
  const [first = {}, ...others] = versions
  const client = await (await start({ ...first, store: memory })).client(data)
  const [mine, ...rest] = await Promise.all(
    others.map((version, index) => start({ ...version, store: index === 0 ? store : memory }))
  )
  return { client, before, mine: mine as Server, rest }
}

t.test('a request that only migrates does not undo what another one has changed after its own migration', async (t) => {
  const { client, before, mine, rest } = await meddled([V1, V2, V2], { name: 'ada', visits: '3' })
  const change: Act = (session) => {
    session.fullName = 'grace'
    session.visits = (session.visits as number) + 1
  }
  before('commit', () => rest[0]?.run(client, change))
  t.same(JSON.parse((await mine.run(client, read)).body), { fullName: 'ada', visits: 3 })
  t.same(JSON.parse((await mine.run(client, read)).body), { fullName: 'grace', visits: 4 })
})

t.test('a request that changes one key keeps what others have changed in others meanwhile', async (t) => {
  for (const renews of [false, true]) {
    const { client, before, mine, rest } = await meddled([V1, V2, V2], { name: 'ada', visits: '3' })
    const change: Act = (session) => {
      session.fullName = 'grace'
    }
    before('commit', () => rest[0]?.run(client, change))
    await mine.run(client, async (session) => {
      if (renews) await session.renew()
      session.visits = 10
    })
    t.same(JSON.parse((await mine.run(client, read)).body), { fullName: 'grace', visits: 10 }, `${renews}`)
  }
})

t.test('an update on data that became newer, older or invalid meanwhile', async (t) => {
  const { client, before, mine, rest } = await meddled([V2, V2, V3, {}], { fullName: 'ada', visits: 3 })
  before('load', () => rest[0]?.run(client, read))
  const raise: Act = (session) => session.update((data) => (data.visits = (data.visits as number) + 1))
  await mine.run(client, raise)
  t.same(JSON.parse((await rest[0]?.run(client, read))?.body ?? ''), { fullName: 'ada', visits: 4, isThird: true })
  await mine.run(client, async (session) => {
    await rest[1]?.run(client, (other) => {
      other.visits = 'wrong'
    })
    await t.rejects(
      session.update(() => 1),
      { code: 'ERR_SESSION_GONE' }
    )
    await t.rejects(session.reload(), { code: 'ERR_SESSION_GONE' })
  })
})

t.test('reload() takes what a server of the same version has written as it is', async (t) => {
  const { client, mine, rest } = await meddled([V2, V2, V2], { fullName: 'ada', visits: 3 })
  const reply = await mine.run(client, async (session) => {
    await rest[0]?.run(client, (other) => {
      other.visits = 4
    })
    await session.reload()
    return { ...session }
  })
  t.same(JSON.parse(reply.body), { fullName: 'ada', visits: 4 })
})

t.test('reload() migrates what another server has written', async (t) => {
  const { client, mine, rest } = await meddled([V2, V3, V2], { fullName: 'ada', visits: 3 })
  const reply = await mine.run(client, async (session) => {
    await session.reload()
    return { ...session }
  })
  t.same(JSON.parse(reply.body), { fullName: 'ada', visits: 3, isThird: true })
  t.same(JSON.parse((await rest[0]?.run(client, read))?.body ?? ''), { fullName: 'ada', visits: 3, isThird: true })
})

t.test('the cookie says under which version it was written', async (t) => {
  const [v1, v2, v3] = (await Promise.all([V1, V2, V3].map(start))) as [Server, Server, Server]
  const client = await v1.client({ name: 'ada', visits: '3' })
  const change: Act = (session) => {
    session.visits = 9
  }
  const cookies = [client.jar.header('/')]
  for (const [server, act] of [
    [v2, read],
    [v3, read],
    [v2, change]
  ] as const) {
    cookies.push((await server.run(client, act)).cookie ?? '')
  }
  const format = new SignedFormat(deriveKeys([Buffer.from(SECRET)], 'signed'), 'session')
  const records = cookies.map((cookie) => format.decode(/session=([^;]+)/.exec(cookie)?.[1] ?? ''))
  t.match(records, [{ extensions: ':v1' }, { extensions: ':v2' }, { extensions: ':v3' }, { extensions: ':v3-' }])
})

t.test('an error of a migration is not quoted in the log', async (t) => {
  const failing = { ...V2, migrations: { 2: () => JSON.parse('secret') } }
  const [v1, v2] = (await Promise.all([V1, failing].map(start))) as [Server, Server]
  const client = await v1.client({ name: 'ada' })
  await v2.run(client, read)
  t.match(v2.warnings(), [{ reason: 'invalid-data', version: 1, schemaVersion: 2, issues: [], thrown: 'SyntaxError' }])
  t.notMatch(JSON.stringify(v2.warnings()), /secret/)
})
