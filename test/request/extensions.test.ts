import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import type { IdentifiedRecord } from '../../lib/format/record.ts'
import { ReferenceFormat } from '../../lib/format/reference.ts'
import { SignedFormat } from '../../lib/format/signed.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { handleOf } from '../../lib/transport/store-record.ts'
import { createApp, decisionsOf, SECRET, START } from '../helpers/app.ts'

const NOW = START.getTime() / 1000
const ID = 'A'.repeat(22)
const REFERENCE = 'B'.repeat(43)
const STATED = { createdAt: NOW - 10, lastSeenAt: NOW - 10, permanent: false, ownerId: undefined }
const SIGNED = new SignedFormat(deriveKeys([Buffer.from(SECRET)], 'signed'), 'session')
const STORED = new ReferenceFormat(deriveKeys([Buffer.from(SECRET)], 'reference'), 'session')

function recordOf(extensions: string): IdentifiedRecord {
  return { ...STATED, id: ID, extensions, json: '{"visits":1}' }
}

async function createVisits(options = {}) {
  const { app } = await createApp({ refreshAfter: 0, ...options })
  app.get('/read', async ({ session }) => ({ ...session }))
  app.get('/write', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return session.visits
  })
  app.get('/renew', async ({ session }) => {
    await session.renew()
    return session.visits
  })
  app.get('/regenerate', async ({ session }) => {
    await session.regenerate(['visits'])
    return session.visits
  })
  app.get('/logout', async ({ session }) => {
    await session.destroy()
    return ''
  })
  return app
}

/** The value that a reply sets. */
function sentValue(lines: readonly string[]): string {
  return lines[0]?.split(';')[0]?.slice('session='.length) ?? ''
}

t.test('in a cookie, extensions that nobody knows survive what rewrites it, in their order', async (t) => {
  const app = await createVisits()
  for (const extensions of [':a', ':b1:v3-:z', ':xA-_9']) {
    let cookie = SIGNED.encode(recordOf(extensions))
    for (const url of ['/read', '/write', '/renew']) {
      const response = await app.inject({ url, headers: { cookie: `session=${cookie}` } })
      cookie = sentValue(setCookieLines(response))
      t.match(SIGNED.decode(cookie), { extensions }, `${url} keeps ${extensions}`)
    }
    const response = await app.inject({ url: '/regenerate', headers: { cookie: `session=${cookie}` } })
    const version = extensions.includes(':v3-') ? ':v3-' : undefined
    t.match(
      SIGNED.decode(sentValue(setCookieLines(response))),
      { extensions: version },
      'but that of the data it keeps'
    )
  }
})

t.test('in a store, those of the record and those of the reference survive', async (t) => {
  const store = new MemoryStore({ clock: () => NOW * 1000, pruneInterval: 0 })
  const app = await createVisits({ store })
  const { id: _, ...record } = recordOf(':b1:v3-:z')
  await store.create(handleOf(REFERENCE), { ...record, description: undefined }, NOW + 3600)
  let cookie = STORED.encode(REFERENCE, NOW - 10, ':w1')
  for (const url of ['/write', '/renew', '/write']) {
    const response = await app.inject({ url, headers: { cookie: `session=${cookie}` } })
    cookie = sentValue(setCookieLines(response)) || cookie
    const id = STORED.idOf(cookie)
    t.equal(STORED.extensionsOf(cookie, id), ':w1', `the reference after ${url}`)
    t.match(await store.load(handleOf(id)), { extensions: ':b1:v3-:z' }, `the record after ${url}`)
  }
})

t.test('a critical extension that nobody knows is refused with its reason', async (t) => {
  const app = await createVisits()
  const cookie = `session=${SIGNED.encode(recordOf(':X'))}`
  const decisions = await decisionsOf(async () => {
    const response = await app.inject({ url: '/read', headers: { cookie } })
    t.same(response.json(), {})
    t.same(setCookieLines(response), [], 'the cookie stays for servers that know it')
  })
  t.same(decisions, ['open: unsupported', 'commit: empty'])
  const written = await app.inject({ url: '/write', headers: { cookie } })
  t.equal(written.body, '1')
  t.match(SIGNED.decode(sentValue(setCookieLines(written))), { extensions: undefined, json: '{"visits":1}' })
})

t.test('who logs out on a server that does not know a stored session logs out of it', async (t) => {
  for (const [recorded, referred] of [
    [':X', ''],
    ['', ':X']
  ] as const) {
    const store = new MemoryStore({ clock: () => NOW * 1000, pruneInterval: 0 })
    const app = await createVisits({ store })
    const client = await createClient(app)
    await store.create(handleOf(REFERENCE), { ...recordOf(recorded), description: undefined }, NOW + 3600)
    client.jar.set('session', STORED.encode(REFERENCE, NOW, referred))
    t.same((await client.get('/read')).json(), {})
    t.ok(await store.load(handleOf(REFERENCE)), 'to read ends nothing')
    const response = await client.get('/logout')
    t.match(setCookieLines(response), [/^session=;/])
    t.equal(await store.load(handleOf(REFERENCE)), undefined)
  }
})
