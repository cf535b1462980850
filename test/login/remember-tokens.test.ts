import t from 'tap'
import { unavailableError, unreadableError } from '../../lib/errors.ts'
import { digest } from '../../lib/login/digest.ts'
import type { BeginSession, RememberSettings } from '../../lib/login/remember-tokens.ts'
import { isOver, RememberTokens, SERIES_OWNER } from '../../lib/login/remember-tokens.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { handleOf } from '../../lib/transport/store-record.ts'
import type { StoredRecord } from '../../types/store.ts'
import { START } from '../helpers/app.ts'
import { once, RecordingStore } from '../helpers/recording-store.ts'

const MAX_AGE = 3600
const ABSOLUTE_MAX_AGE = 3 * MAX_AGE
const GRACE = 60

function create(changed: Partial<RememberSettings> = {}) {
  const clock = new FakeClock(START)
  const store = new RecordingStore(new MemoryStore({ clock: clock.now, pruneInterval: 0 }))
  const now = (): number => clock.now() / 1000
  const settings = { maxAge: MAX_AGE, absoluteMaxAge: ABSOLUTE_MAX_AGE, grace: GRACE, now, ...changed }
  const tokens = new RememberTokens(store, settings, (token) => `session of ${token}`)
  const issue = async (userId: string, hash?: string, client?: string): Promise<string> =>
    (await tokens.issue(userId, hash, client)).token
  /** Returns the next token. */
  const rotate = async (token: string, begin: BeginSession = async () => undefined): Promise<string | undefined> =>
    (await tokens.rotate(token, begin))?.token
  return { clock, store, now, tokens, issue, rotate }
}

type Kit = ReturnType<typeof create>

/** Creates a session of a user in the store. */
async function addSession({ store, now }: Kit, key: string, login: object | undefined, ownerId = '1'): Promise<string> {
  const json = JSON.stringify(login === undefined ? {} : { _login: login })
  const record = {
    json,
    createdAt: now(),
    lastSeenAt: now(),
    permanent: false,
    ownerId,
    description: undefined,
    extensions: undefined
  }
  await store.create(key, record, now() + MAX_AGE)
  return key
}

async function recordOf({ store, tokens }: Kit, token: string): Promise<StoredRecord> {
  return (await store.inner.load(tokens.keyOf(token))) as StoredRecord
}

t.test('a token is a series and a secret, and the store holds digests of both', async (t) => {
  const kit = create()
  const token = await kit.issue('1', 'a hash')
  t.match(token, /^[\w-]{65}$/)
  const [series, secret] = [token.slice(0, 22), token.slice(22)]
  const record = await recordOf(kit, token)
  t.strictSame(record, {
    key: digest('remember', series),
    json: JSON.stringify({ userId: '1', secret: digest(secret), rotatedAt: kit.now(), hash: 'a hash' }),
    createdAt: kit.now(),
    lastSeenAt: kit.now(),
    permanent: true,
    ownerId: SERIES_OWNER + digest('1'),
    description: undefined,
    extensions: ':N',
    expiresAt: kit.now() + MAX_AGE,
    version: 0
  })
  const plain = await kit.issue('1', undefined)
  t.same(Object.keys(JSON.parse((await recordOf(kit, plain)).json)), ['userId', 'secret', 'rotatedAt'])
  const bound = await kit.issue('1', undefined, 'a client')
  t.match(JSON.parse((await recordOf(kit, bound)).json), { client: 'a client' })
  t.match(await kit.tokens.find(bound), { client: 'a client' })
  t.not(plain.slice(0, 22), series)
  t.not(plain.slice(22), secret)
  t.same(await kit.store.list('1'), [], 'a series is no session of the user')
})

t.test('a user has at most a hundred series', async (t) => {
  const { tokens, clock, issue } = create()
  const issued: string[] = []
  for (let count = 0; count <= 100; count++) {
    issued.push(await issue('1', undefined))
    clock.advance(1)
  }
  t.equal(await tokens.find(issued[0] as string), undefined, 'the oldest makes room')
  t.ok(await tokens.find(issued[1] as string))
})

t.test('a token stands for its user until it expires', async (t) => {
  const { tokens, clock, issue, rotate } = create()
  const token = await issue('1', 'a hash')
  const key = tokens.keyOf(token)
  t.strictSame(await tokens.find(token), {
    token,
    key,
    userId: '1',
    hash: 'a hash',
    client: undefined,
    since: clock.now() / 1000,
    isStolen: false
  })
  clock.advance(MAX_AGE)
  t.ok(await tokens.find(token), 'as often as it is asked')
  t.equal(await tokens.isLive(key), true)
  clock.advance(1)
  t.equal(await tokens.find(token), undefined)
  t.equal(await tokens.isLive(key), false)
  t.equal(await rotate(token), undefined)
})

t.test('rotation replaces the token in the same series and extends its life', async (t) => {
  const kit = create()
  const { tokens, clock, issue, rotate } = kit
  const first = await issue('1', 'a hash')
  clock.advance(MAX_AGE)
  const second = (await rotate(first)) as string
  t.match(second, /^[\w-]{65}$/)
  t.equal(second.slice(0, 22), first.slice(0, 22))
  t.not(second, first)
  t.match(await recordOf(kit, second), { lastSeenAt: kit.now(), expiresAt: kit.now() + MAX_AGE })
  t.match(await tokens.find(second), { userId: '1', hash: 'a hash', isStolen: false })
})

t.test('no use keeps a series longer than absoluteMaxAge', async (t) => {
  const kit = create()
  const { tokens, clock, issue, rotate } = kit
  const since = kit.now()
  let token = await issue('1')
  for (let used = 1; used <= 3; used++) {
    clock.advance(MAX_AGE)
    token = (await rotate(token)) as string
  }
  t.equal((await recordOf(kit, token)).expiresAt, since + ABSOLUTE_MAX_AGE)
  t.match(await tokens.find(token), { since }, 'up to T')
  clock.advance(1)
  t.equal(await tokens.find(token), undefined, 'gone at T+1')
})

t.test('a series that is older than a lower absoluteMaxAge ends with its sessions, and is no theft', async (t) => {
  const kit = create({ absoluteMaxAge: 100 })
  const { tokens, clock, store, now } = kit
  const createdAt = now() - 100
  const old = await kit.issue('1')
  const { key, json } = await recordOf(kit, old)
  const record = {
    json,
    createdAt,
    lastSeenAt: now(),
    permanent: true,
    ownerId: '1',
    description: undefined,
    extensions: undefined
  }
  await store.inner.destroy(key)
  await store.inner.create(key, record, now() + MAX_AGE)
  const session = await addSession(kit, 'session', { id: '1', series: key })
  t.match(await tokens.find(old), { since: createdAt })
  clock.advance(1)
  t.equal(await tokens.find(`${old.slice(0, 22)}${'A'.repeat(43)}`), undefined)
  t.equal(await store.inner.load(key), undefined)
  t.equal(await store.load(session), undefined)
})

t.test('a login is over one second after absoluteMaxAge', async (t) => {
  const settings = { absoluteMaxAge: 100, now: () => 1100 }
  t.equal(isOver(1000, settings), false)
  t.equal(isOver(999, settings), true)
})

t.test('the session is begun before the token is replaced, and only with a token that is not', async (t) => {
  const kit = create()
  const { tokens, issue, store } = kit
  const token = await issue('1')
  const begun: string[] = []
  const begin = async (id: string): Promise<void> => void begun.push(id)
  await t.rejects(
    tokens.rotate(token, () => Promise.reject(new Error('down'))),
    { message: 'down' }
  )
  store.before = (method) => (method === 'commit' ? Promise.reject(new Error('down')) : undefined)
  await t.rejects(tokens.rotate(token, begin), { message: 'down' })
  store.before = () => undefined
  const sessionId = `session of ${token}`
  const first = await tokens.rotate(token, begin)
  t.match(first, { token: /^[\w-]{65}$/, sessionId, isFirst: true }, 'whoever failed can come back')
  t.same(begun, [sessionId, sessionId])
  t.strictSame(await tokens.rotate(token, begin), { ...first, isFirst: false })
  t.equal(begun.length, 2)
})

t.test('the previous token leads to the new one until the grace period ends', async (t) => {
  const { tokens, clock, store, issue, rotate } = create()
  const first = await issue('1', undefined)
  const second = await rotate(first)
  clock.advance(GRACE)
  t.match(await tokens.find(first), { isStolen: false })
  store.takeCalls()
  t.equal(await rotate(first), second)
  t.same(store.takeMethods(), ['load'], 'nothing is written')
  clock.advance(1)
  t.equal(await rotate(first), undefined, 'that ends nothing')
  t.match(await tokens.find(second as string), { isStolen: false })
  t.match(await tokens.find(first), { userId: '1', isStolen: true })
  t.equal(await tokens.find(first), undefined, 'nobody finds the series any more')
  t.equal(await tokens.find(second as string), undefined)
})

t.test('an unknown secret, or one that was replaced twice, is a theft at once', async (t) => {
  const { tokens, issue, rotate } = create()
  const first = await issue('1', undefined)
  t.match(await tokens.find(first.slice(0, 22) + 'A'.repeat(43)), { isStolen: true })
  const other = await issue('1', undefined)
  await rotate((await rotate(other)) as string)
  t.match(await tokens.find(other), { isStolen: true })
})

t.test('a theft ends the sessions that the series started, and no others', async (t) => {
  const kit = create()
  const { tokens, store, clock, issue, rotate } = kit
  const token = await issue('1', undefined)
  const series = tokens.keyOf(token)
  const mine = await addSession(kit, 'mine', { id: '1', series })
  const kept = [
    await addSession(kit, 'plain', { id: '1' }),
    await addSession(kit, 'other', { id: '1', series: tokens.keyOf('A'.repeat(65)) }),
    await addSession(kit, 'none', undefined),
    await addSession(kit, 'ben', { id: '2', series }, '2')
  ]
  await rotate(token)
  clock.advance(GRACE + 1)
  await tokens.find(token)
  t.equal(await store.load(mine), undefined)
  for (const key of kept) t.ok(await store.load(key), key)
})

t.test('parallel rotations of one token return the same new token', async (t) => {
  const { store, issue, rotate } = create()
  const token = await issue('1', undefined)
  store.takeCalls()
  const rotated = await Promise.all(Array.from({ length: 20 }, () => rotate(token)))
  t.equal(new Set(rotated).size, 1)
  t.ok(store.takeMethods().filter((method) => method === 'commit').length > 1, 'some were too late, and looked again')
  t.not(rotated[0], token)
})

t.test('a series that ends during a rotation stays ended', async (t) => {
  const kit = create()
  const { tokens, store, issue, rotate } = kit
  const token = await issue('1', undefined)
  store.before = once('commit', () => store.inner.destroy(tokens.keyOf(token)))
  const key = handleOf(`session of ${token}`)
  t.equal(await rotate(token, async () => void (await addSession(kit, key, { id: '1' }))), undefined)
  t.equal(await tokens.find(token), undefined)
  t.equal(await store.load(key), undefined, 'and so does the session that was begun in between')
})

t.test('endWith ends the series of a session, and its other sessions', async (t) => {
  const kit = create()
  const { tokens, store, issue } = kit
  const token = await issue('1', undefined)
  const series = tokens.keyOf(token)
  const [one, two] = [
    await addSession(kit, 'one', { id: '1', series }),
    await addSession(kit, 'two', { id: '1', series })
  ]
  const plain = await addSession(kit, 'plain', { id: '1' })
  await tokens.endWith(plain)
  await tokens.endWith('unknown')
  t.ok(await tokens.find(token))
  await tokens.endWith(one)
  t.equal(await tokens.find(token), undefined)
  t.equal(await store.load(two), undefined)
  t.ok(await store.load(plain))
})

t.test('endAllOf ends all series of a user, except the series of one session', async (t) => {
  const kit = create()
  const { tokens, issue } = kit
  const [one, two, ben] = [await issue('1', undefined), await issue('1', undefined), await issue('2', undefined)]
  const kept = await addSession(kit, 'kept', { id: '1', series: tokens.keyOf(one) })
  await tokens.endAllOf('1', kept)
  t.ok(await tokens.find(one))
  t.equal(await tokens.find(two), undefined)
  await tokens.endAllOf('1', 'unknown')
  t.equal(await tokens.find(one), undefined)
  const three = await issue('1', undefined)
  await tokens.endAllOf('1', undefined)
  t.equal(await tokens.find(three), undefined)
  t.ok(await tokens.find(ben))
})

t.test('a series that was damaged in the store remembers nobody, and ends', async (t) => {
  for (const damage of [
    (record: StoredRecord): StoredRecord => ({ ...record, json: '{"userId":hunter2' }),
    // Another server has encrypted it, and this one does not open it.
    (record: StoredRecord): StoredRecord => ({ ...record, json: '{"secret":"m1","rotatedAt":"m1"}' }),
    (): never => {
      throw unreadableError()
    }
  ]) {
    for (const method of ['find', 'rotate'] as const) {
      const { tokens, store, issue, rotate } = create()
      const token = await issue('1')
      const load = store.load.bind(store)
      store.load = async (key) => {
        const record = await load(key)
        return record && damage(record)
      }
      t.equal(await (method === 'find' ? tokens.find(token) : rotate(token)), undefined)
      t.equal(await store.inner.load(tokens.keyOf(token)), undefined)
    }
  }
})

t.test(
  'a session that was damaged in the store names no series, and does not keep the others from ending',
  async (t) => {
    for (const damage of [
      (record: StoredRecord): StoredRecord => ({ ...record, json: '[' }),
      (): never => {
        throw unreadableError()
      }
    ]) {
      const kit = create()
      const { tokens, store, issue } = kit
      const token = await issue('1')
      const series = tokens.keyOf(token)
      const damaged = await addSession(kit, 'damaged', { id: '1', series })
      const load = store.load.bind(store)
      store.load = async (key) => {
        const record = await load(key)
        return record && key === damaged ? damage(record) : record
      }
      await tokens.endWith(damaged)
      t.ok(await store.load(series), 'it cannot tell which one')
      await tokens.endAllOf('1', damaged)
      t.equal(await store.load(series), undefined)
    }
  }
)

t.test('a store that is not available is no damage', async (t) => {
  const { tokens, store, issue } = create()
  const token = await issue('1')
  store.before = () => {
    throw unavailableError(undefined)
  }
  await t.rejects(tokens.find(token), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
  await t.rejects(tokens.endWith('key'), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
})

t.test('a session that gets a new id while its series ends is ended as well', async (t) => {
  const kit = create()
  const { store, tokens, issue } = kit
  const series = tokens.keyOf(await issue('1'))
  const login = { id: '1', series }
  await addSession(kit, 'old', login)
  const other = await addSession(kit, 'other', { id: '1' })
  store.before = once('destroy', () => {
    store.before = once('destroy', async () => {
      await addSession(kit, 'new', login)
      await store.inner.destroy('old')
    })
  })
  await tokens.end(series, '1')
  t.same(
    (await store.list('1')).map(({ key }) => key),
    [other]
  )
})

t.test('the series of given tokens end, whatever they are', async (t) => {
  const { tokens, issue } = create()
  const [first, second, other] = [await issue('1'), await issue('1'), await issue('2')]
  await tokens.endThese([first, 'unknown'.padEnd(65, 'x'), second])
  t.equal(await tokens.find(first), undefined)
  t.equal(await tokens.find(second), undefined)
  t.ok(await tokens.find(other))
})
