import { mock } from 'node:test'
import type { Pool, ResultSetHeader, RowDataPacket } from 'mysql2/promise'
import t from 'tap'
import { admission } from '../../../lib/stores/admission.ts'
import type { MySqlConnection, MySqlPool, MySqlStoreOptions } from '../../../lib/stores/mysql/index.ts'
import { MySqlStore } from '../../../lib/stores/mysql/index.ts'
import { testRaces, testStore } from '../../../lib/testing/index.ts'
import { newKey, newRecord } from '../../../lib/testing/store-contract/bench.ts'
import type { CreateResult, SessionChanges, SessionRecord, StoreCall } from '../../../types/store.ts'
import { when } from '../../helpers/fake-time.ts'
import { reachMySql } from '../../helpers/mysql.ts'

const NOW = 1_763_640_000
const LATER = NOW + 3600
const SET_A: SessionChanges = { set: { a: '1' }, unset: [] }

const unused: MySqlPool = { getConnection: () => Promise.reject(new Error('connect')) }

t.test('what the pool throws reaches the caller', async (t) => {
  const store = new MySqlStore({ pool: unused, pruneInterval: 0 })
  const record = newRecord({ ownerId: 'ada' })
  await t.rejects(store.load(newKey()), { message: 'connect' })
  await t.rejects(store.create(newKey(), record, LATER, { max: 1, evict: true }), { message: 'connect' })
  await t.rejects(store.migrate(), { message: 'connect' })
})

const mysql = await reachMySql(t)
if (mysql !== undefined) {
  t.teardown(() => mysql.end())
  const pool = mysql.pool({ connectionLimit: 20 })
  let tables = 0

  /** A store with a table of its own. */
  const openStore = async (options: Partial<MySqlStoreOptions> = {}) => {
    const table = `sessions${tables++}`
    const store = new MySqlStore({ pool, table, clock: () => NOW * 1000, pruneInterval: 0, ...options })
    await store.migrate()
    const add = async (record: Partial<SessionRecord> = {}, expiresAt = LATER): Promise<string> => {
      const key = newKey()
      await store.create(key, newRecord(record), expiresAt)
      return key
    }
    return { store, table, add }
  }

  const select = async (text: string, values: string[] = []): Promise<Record<string, unknown>> =>
    (await pool.execute<RowDataPacket[]>(text, values))[0][0] ?? {}

  /** Runs `change` in a transaction that ends when `call` waits for it; gives what `call` gives. */
  const whileLocked = async <T>(change: string, key: string, call: () => Promise<T>): Promise<T> => {
    const other = await pool.getConnection()
    await other.query('START TRANSACTION')
    await other.query(change, [key])
    const result = call()
    const table = `\`${/sessions\d+/.exec(change)?.[0]}\``
    await when(async () => {
      // The tables of information_schema are not read anew while somebody keeps asking.
      const [status] = await pool.query<RowDataPacket[]>('SHOW ENGINE INNODB STATUS')
      const transactions = String(status[0]?.Status).split('---TRANSACTION')
      return transactions.some((text) => text.includes('LOCK WAIT') && text.includes(table))
    })
    await other.query('COMMIT')
    other.release()
    return result
  }

  for (const isolation of ['READ COMMITTED', 'REPEATABLE READ']) {
    const strict = mysql.pool({ connectionLimit: 20 }, [`SET SESSION TRANSACTION ISOLATION LEVEL ${isolation}`])

    t.test(`the contract and the races, with ${isolation}`, async (t) => {
      const { table } = await openStore()
      const suite = {
        test: (name: string, run: () => Promise<void>) => t.test(name, run),
        open: (clock: () => number) => new MySqlStore({ pool: strict, table, clock, pruneInterval: 0 })
      }
      testStore(suite)
      testRaces(suite)
    })

    t.test(`50 logins at once do not get past a limit, with ${isolation}`, async (t) => {
      for (const evict of [true, false, true, false]) {
        const { store, add } = await openStore({ pool: strict })
        await add({ ownerId: 'ada' })
        const call: StoreCall = { deadline: performance.now() + 20_000 }
        const login = (): Promise<CreateResult> =>
          store.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 3, evict }, call)
        const results = await Promise.all(Array.from({ length: 50 }, login))
        t.equal((await store.list('ada')).length, 3)
        t.equal(results.filter((result) => result === true).length, evict ? 50 : 2)
        t.equal(results.filter((result) => result === 'over-limit').length, evict ? 0 : 48)
      }
    })

    t.test(`methods that remove many at once do not stop each other, with ${isolation}`, async (t) => {
      const { store, table } = await openStore({ pool: strict })
      const record = newRecord({ ownerId: 'ada' })
      for (let round = 0; round < 3; round++) {
        const call: StoreCall = { deadline: performance.now() + 20_000 }
        // The order of keys and that of ages are opposites.
        const keys = Array.from({ length: 40 }, (_, index) => `${String.fromCharCode(65 + index)}${newKey().slice(1)}`)
        for (const [index, key] of keys.entries()) {
          await store.create(key, newRecord({ ownerId: 'ada', createdAt: NOW - index }), LATER)
        }
        await Promise.all([
          store.create(newKey(), record, LATER, { max: 5, evict: true }, call),
          ...keys.map((key) => store.touch(key, LATER, NOW, call)),
          store.destroyAll('ada', keys[30], call),
          pool.query(`UPDATE ${table} SET expires_at = ${NOW - 1} WHERE \`key\` = ?`, [keys[0]]),
          store.create(newKey(), record, LATER, { max: 4, evict: true }, call),
          store.prune(),
          store.destroyAll('ada', undefined, call),
          ...keys.map((key) => store.commit(key, SET_A, LATER, undefined, call)),
          store.prune(),
          store.create(newKey(), record, LATER, { max: 3, evict: true }, call)
        ])
        await store.destroyAll('ada')
        t.same(await store.list('ada'), [])
      }
    })
  }

  t.test('a store without the flag FOUND_ROWS, and with rows as arrays, finds what is there', async (t) => {
    const { store, add } = await openStore({ pool: mysql.pool({ flags: ['-FOUND_ROWS'], rowsAsArray: true }) })
    const key = await add({ ownerId: 'ada' })
    t.ok(await store.load(key))
    t.equal(await store.touch(key, LATER, NOW), true, 'also where nothing changes')
    t.equal(await store.create(key, newRecord(), LATER), false)
    t.equal(await store.commit(key, SET_A, LATER), 'committed')
    t.equal(await store.destroyAll('ada'), 1)
  })

  t.test('how many statements a method takes', async (t) => {
    const { table } = await openStore()
    const { pool: counting, statements } = count(mysql.pool({ connectionLimit: 1 }))
    const store = new MySqlStore({ pool: counting, table, clock: () => NOW * 1000 })
    const key = newKey()
    const record = newRecord({ ownerId: 'ada' })
    await store.load(key)
    const steps: [name: string, step: () => Promise<unknown>, statements: number][] = [
      ['create', () => store.create(key, record, LATER), 2],
      ['load', () => store.load(key), 1],
      ['commit', () => store.commit(key, SET_A, LATER), 2],
      ['conflict', () => store.commit(key, SET_A, LATER, 7), 1],
      ['gone', () => store.commit(newKey(), SET_A, LATER), 1],
      ['touch', () => store.touch(key, LATER, NOW), 1],
      ['list', () => store.list('ada'), 1],
      ['limit', () => store.create(newKey(), record, LATER, { max: 2, evict: true }), 5],
      ['limit without owner', () => store.create(newKey(), newRecord(), LATER, { max: 2, evict: true }), 2],
      ['destroyAll', () => store.destroyAll('ada', key), 1],
      ['count', () => store.count(), 1],
      ['entries', () => store.entries(undefined, 10), 1],
      ['destroyEverything', () => store.destroyEverything(), 1],
      ['destroy', () => store.destroy(key), 1]
    ]
    for (const [name, step, expected] of steps) {
      statements.length = 0
      await step()
      t.equal(statements.length, expected, name)
    }
    await store.close()
  })

  t.test('the table holds the data as they were written', async (t) => {
    const { store, table, add } = await openStore()
    const json = '{"userId":42, "cart":{"z":1.0,"a":[]},"text":"\\u0000\\ud800😀 \'\\\\"}'
    const key = await add({ json, permanent: true, ownerId: 'ada 😀', extensions: ':v3' })
    t.match(await store.load(key), { json, ownerId: 'ada 😀', extensions: ':v3' })
    await store.commit(key, { set: { 'a"': '"x"' }, unset: ['cart'] }, LATER)
    t.match(await select(`SELECT *, JSON_VALUE(data, '$.userId') AS userId FROM ${table} WHERE owner_id = 'ada 😀'`), {
      created_at: NOW,
      last_seen_at: NOW,
      expires_at: LATER,
      expires_hour: Math.floor(LATER / 3600),
      version: 1,
      permanent: 1,
      description: null,
      extensions: ':v3',
      data: '{"userId":42,"text":"\\u0000\\ud800😀 \'\\\\","a\\"":"x"}',
      userId: '42'
    })
  })

  t.test('owners are compared exactly, up to 255 characters', async (t) => {
    const { store, add } = await openStore()
    const owners = [
      'ada',
      'Ada',
      'ada ',
      ' ada',
      'adá',
      'ada\u0301',
      'ss',
      'ß',
      '😀',
      '😁',
      '€'.repeat(255),
      'x'.repeat(255)
    ]
    for (const ownerId of owners) await add({ ownerId })
    for (const owner of owners)
      t.same(
        (await store.list(owner)).map(({ ownerId }) => ownerId),
        [owner]
      )
    t.equal(await store.destroyAll('ada'), 1)
    t.equal((await store.list('ada ')).length, 1)
  })

  t.test('200 kB of data, and 50 levels of it', async (t) => {
    const { store, add } = await openStore()
    const json = `{"text":"${'😀"'.replace('"', '\\"').repeat(30_000)}","deep":${'['.repeat(50)}${']'.repeat(50)}}`
    const key = await add({ json })
    t.equal((await store.load(key))?.json, json)
    t.equal(await store.commit(key, SET_A, LATER), 'committed')
    t.equal((await store.load(key))?.json, `${json.slice(0, -1)},"a":1}`)
  })

  t.test('a commit that has to wait', async (t) => {
    const { store, table, add } = await openStore()
    const commit = (key: string, version?: number) => () => store.commit(key, SET_A, LATER, version)
    const steps: [name: string, change: string, version: number | undefined, result: string][] = [
      [
        'for another member keeps it',
        `UPDATE ${table} SET data = '{"b":2}', version = version + 1 WHERE \`key\` = ?`,
        undefined,
        'committed'
      ],
      ['for another version is a conflict', `UPDATE ${table} SET version = 1 WHERE \`key\` = ?`, 0, 'conflict'],
      ['for a logout is gone', `DELETE FROM ${table} WHERE \`key\` = ?`, undefined, 'gone'],
      ['for a logout is gone, and no conflict', `DELETE FROM ${table} WHERE \`key\` = ?`, 0, 'gone'],
      ['for an end is gone', `UPDATE ${table} SET expires_at = ${NOW - 1} WHERE \`key\` = ?`, 0, 'gone']
    ]
    for (const [name, change, version, result] of steps) {
      const key = await add({ json: '{}' })
      t.equal(await whileLocked(change, key, commit(key, version)), result, name)
      if (result === 'committed') t.equal((await store.load(key))?.json, '{"b":2,"a":1}')
    }
  })

  t.test('a logout, a touch and an end of all wait for a commit and see what it did', async (t) => {
    const { store, table, add } = await openStore()
    const change = `UPDATE ${table} SET version = 1 WHERE \`key\` = ?`
    const [destroyed, ended, touched] = [await add(), await add({ ownerId: 'ada' }), await add()]
    await whileLocked(change, destroyed, () => store.destroy(destroyed))
    t.equal(await store.load(destroyed), undefined)
    t.equal(await whileLocked(change, ended, () => store.destroyAll('ada')), 1)
    t.equal(await store.load(ended), undefined)
    t.equal(await whileLocked(change, touched, () => store.touch(touched, LATER + 5)), true)
    t.match(await store.load(touched), { version: 1, expiresAt: LATER + 5 })
    const logout = `DELETE FROM ${table} WHERE \`key\` = ?`
    t.equal(await whileLocked(logout, touched, () => store.touch(touched, LATER)), false)
  })

  t.test('of two who take the key of an expired record, one gets it', async (t) => {
    const { store, table, add } = await openStore()
    const key = await add({}, NOW - 1)
    const change = `UPDATE ${table} SET expires_at = ${LATER} WHERE \`key\` = ?`
    t.equal(await whileLocked(change, key, () => store.create(key, newRecord(), LATER)), false)
  })

  t.test('a record that is not complete is no session, and goes after an hour', async (t) => {
    const { pool: failing } = count(pool, (sql) => {
      if (sql.includes('LAST_INSERT_ID')) throw Object.assign(new Error('broken'), { errno: 1 })
    })
    const { store, table } = await openStore()
    const key = newKey()
    const half = new MySqlStore({ pool: failing, table, clock: () => NOW * 1000, pruneInterval: 0 })
    await t.rejects(half.create(key, newRecord({ ownerId: 'ada' }), LATER), { message: 'broken' })
    t.same([await store.load(key), await store.list('ada'), await store.destroyAll('ada')], [undefined, [], 0])
    t.same([await store.touch(key, LATER), await store.commit(key, SET_A, LATER)], [false, 'gone'])
    t.equal(await store.prune(), 0, 'it may be about to be completed')
    const later = new MySqlStore({ pool, table, clock: () => (NOW + 3602) * 1000, pruneInterval: 0 })
    t.equal(await later.prune(), 1)
  })

  t.test('a login that is too late ends nothing', async (t) => {
    const { store, table, add } = await openStore()
    const key = await add({ ownerId: 'ada' })
    const login = (deadline: number): Promise<CreateResult> =>
      store.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: true }, { deadline })
    const other = await pool.getConnection()
    await other.query('START TRANSACTION')
    await other.query(`SELECT * FROM ${table} WHERE \`key\` = ? FOR UPDATE`, [key])
    const deadline = performance.now() + 200
    const refused = t.rejects(login(deadline), { message: /written too late|no time left/ })
    await when(() => performance.now() > deadline)
    await other.query('COMMIT')
    other.release()
    await refused
    const rows = await store.list('ada')
    t.same(
      rows.map((record) => record.key),
      [key]
    )
  })

  t.test('a login that another one of the owner keeps waiting is told so', async (t) => {
    const { table } = await openStore()
    const { pool: waiting, statements } = count(pool, (sql) => {
      if (sql.includes('GET_LOCK')) return [[{ got: 0 }], undefined]
    })
    const store = new MySqlStore({ pool: waiting, table, clock: () => NOW * 1000, pruneInterval: 0 })
    const login = store.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: true })
    await t.rejects(login, { message: 'Another login of the same owner took too long. Nothing was written.' })
    t.notMatch(statements.join('\n'), /INSERT|UPDATE/)
  })

  t.test('a limit decides as in every store, and tells who made room', async (t) => {
    const ages = [30, 7, 20, 100]
    for (const max of [1, 2, 4, 5]) {
      for (const evict of [true, false]) {
        for (const replaced of [undefined, 0, 2]) {
          const { store, add } = await openStore()
          const live: { key: string; createdAt: number }[] = []
          for (const createdAt of ages) live.push({ key: await add({ ownerId: 'ada', createdAt }), createdAt })
          const replacing = replaced === undefined ? undefined : live[replaced]?.key
          const told: string[] = []
          const call: StoreCall = { deadline: performance.now() + 20_000, replacing, evicted: (key) => told.push(key) }
          const key = newKey()
          const result = await store.create(key, newRecord({ ownerId: 'ada' }), LATER, { max, evict }, call)
          const expected = admission(live, { max, evict }, replacing)
          const name = JSON.stringify([max, evict, replaced])
          t.equal(result, expected === 'refuse' ? 'over-limit' : true, name)
          const gone = expected === 'refuse' ? [] : expected.map((record) => record.key)
          t.same(told, gone, name)
          const left = live.map((record) => record.key).filter((other) => !gone.includes(other))
          const wanted = expected === 'refuse' ? left : [...left, key]
          t.same((await store.list('ada')).map((record) => record.key).sort(), wanted.sort(), name)
        }
      }
    }
  })

  t.test('a limit and a key that exists: nothing is written and nobody has to go', async (t) => {
    const { store, add } = await openStore()
    const [first, second] = [await add({ ownerId: 'ada' }), await add({ ownerId: 'ada' })]
    const foreign = await add({ ownerId: 'bob' })
    const record = newRecord({ ownerId: 'ada' })
    for (const key of [first, foreign]) {
      t.equal(await store.create(key, record, LATER, { max: 1, evict: true }), false)
      t.equal(await store.create(key, record, LATER, { max: 1, evict: false }), false)
      t.equal(await store.create(key, record, LATER, { max: 9, evict: false }), false)
    }
    t.same((await store.list('ada')).map(({ key }) => key).sort(), [first, second].sort())
  })

  t.test('all sessions are ended in steps, and what is being created goes on', async (t) => {
    const { store, table } = await openStore()
    const rows = Array.from({ length: 1001 }, (_, index) => [String(index), '{}', 0, 0, 0, NOW, 0])
    await pool.query(
      `INSERT INTO ${table} (\`key\`, data, created_at, last_seen_at, permanent, expires_at, version) VALUES ?`,
      [rows]
    )
    t.same(await store.count(), { found: 1001, next: undefined })
    const { pool: ending } = count(pool, async (sql) => {
      if (!sql.includes('LAST_INSERT_ID')) return
      t.same(await store.destroyEverything(), { found: 1000, next: 'more' })
      t.same(await store.destroyEverything('more'), { found: 1, next: undefined })
    })
    const meanwhile = new MySqlStore({ pool: ending, table, clock: () => NOW * 1000, pruneInterval: 0 })
    t.equal(await meanwhile.create(newKey(), newRecord(), LATER), true)
    t.same(await store.count(), { found: 1, next: undefined })
  })

  t.test('prune removes what has expired, in steps, and nothing else', async (t) => {
    // In the middle of an hour.
    const now = NOW + 1800
    const { store, table, add } = await openStore({ clock: () => now * 1000 })
    const [last, live] = [await add({}, now), await add({}, now + 3600)]
    const rows = Array.from({ length: 2500 }, (_, index) => [String(index), '{}', 0, 0, 0, now - 1 - index, 0])
    await pool.query<ResultSetHeader>(
      `INSERT INTO ${table} (\`key\`, data, created_at, last_seen_at, permanent, expires_at, version) VALUES ?`,
      [rows]
    )
    const { pool: counting, statements } = count(pool)
    const pruning = new MySqlStore({ pool: counting, table, clock: () => now * 1000 })
    t.equal(await pruning.prune(), 2500)
    t.equal(statements.filter((sql) => sql.startsWith('DELETE')).length, 3)
    t.equal(await pruning.prune(), 0)
    await pruning.close()
    t.ok((await store.load(last)) && (await store.load(live)))
  })

  t.test('prune is called soon and then every interval, until close', async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    let count = 0
    const answers = [{ commits: 1, isRead: 1, sent: '😀', isFixed: 0, got: 1 }]
    const connection: MySqlConnection = {
      async execute({ sql }) {
        if (!sql.startsWith('DELETE')) return [answers, undefined]
        count++
        return [{ affectedRows: 0, insertId: 0 }, undefined]
      },
      release() {},
      destroy() {}
    }
    const prunes = (): number => count
    const store = new MySqlStore({ pool: { getConnection: async () => connection }, pruneInterval: 60 })
    mock.timers.tick(30_000)
    await when(() => prunes() === 1)
    await when(() => {
      mock.timers.tick(60_000)
      return prunes() === 2
    })
    await store.close()
    mock.timers.tick(60_000)
    t.equal(prunes(), 2)
  })

  t.test('one process at a time prunes a table', async (t) => {
    const { store, table, add } = await openStore()
    const { store: beside, add: addBeside } = await openStore()
    await Promise.all([add({}, NOW - 1), addBeside({}, NOW - 1)])
    const inside: unknown[] = []
    const { pool: watched } = count(pool, async (sql) => {
      if (sql.startsWith('DELETE')) inside.push(await store.prune(), await beside.prune())
    })
    const other = new MySqlStore({ pool: watched, table, clock: () => NOW * 1000, pruneInterval: 0 })
    t.equal(await other.prune(), 1)
    t.same(inside, [0, 1], 'another table is another matter')
  })

  t.test('close leaves the pool open', async (t) => {
    const { store } = await openStore()
    await store.close()
    t.equal(await store.load(newKey()), undefined)
  })

  t.test('migrate may be called again, and by many at once', async (t) => {
    const stores = Array.from({ length: 10 }, () => new MySqlStore({ pool, table: 'many', pruneInterval: 0 }))
    await Promise.all(stores.map((store) => store.migrate()))
    await stores[0]?.create(newKey(), newRecord({ ownerId: 'ada' }), 2 ** 40)
    await stores[0]?.migrate()
    t.equal((await stores[0]?.list('ada'))?.length, 1, 'and loses nothing')
  })

  t.test('a table that is up to date asks for no rights', async (t) => {
    const { table } = await openStore()
    const { pool: counting, statements } = count(pool)
    await new MySqlStore({ pool: counting, table, pruneInterval: 0 }).migrate()
    t.notMatch(statements.join('\n'), /\b(CREATE|ALTER)\b/)
  })

  t.test('migrate refuses what is not its own, and leaves it alone', async (t) => {
    const refused = { code: 'ERR_SESSION_OPTION_INVALID' }
    await pool.query('CREATE TABLE foreign1 (sid TEXT)')
    await t.rejects(new MySqlStore({ pool, table: 'foreign1' }).migrate(), { ...refused, message: /foreign1/ })
    await pool.query('CREATE VIEW foreign2 AS SELECT 1 AS `key`')
    await t.rejects(new MySqlStore({ pool, table: 'foreign2' }).migrate(), { ...refused, message: /foreign2/ })
    const { store, table } = await openStore()
    await pool.query(`ALTER TABLE ${table} COMMENT 'fastify-typed-session 99'`)
    await t.rejects(store.migrate(), { ...refused, message: /version 99.* supports 1\b/ })
    await pool.query(`ALTER TABLE ${table} DROP COLUMN last_seen_at, COMMENT 'fastify-typed-session 1'`)
    await t.rejects(store.migrate(), { ...refused, message: /lacks columns: last_seen_at bigint\./ })
    await t.rejects(store.load(newKey()), {
      code: 'ERR_SESSION_STORE_UNAVAILABLE',
      cause: { code: 'ER_BAD_FIELD_ERROR' }
    })
  })

  t.test('without migrate every method says what to do', async (t) => {
    const store = new MySqlStore({ pool, table: 'never made', pruneInterval: 0 })
    const key = newKey()
    const record = newRecord({ ownerId: 'ada' })
    const calls: (() => Promise<unknown>)[] = [
      () => store.create(key, record, LATER),
      () => store.create(key, record, LATER, { max: 1, evict: true }),
      () => store.load(key),
      () => store.commit(key, SET_A, LATER),
      () => store.touch(key, LATER),
      () => store.destroy(key),
      () => store.list('ada'),
      () => store.destroyAll('ada'),
      () => store.count(),
      () => store.entries(undefined, 10),
      () => store.destroyEverything(),
      () => store.prune()
    ]
    for (const call of calls) {
      const error = {
        code: 'ERR_SESSION_STORE_UNAVAILABLE',
        message: /`never made`.*migrate\(\)/,
        cause: { code: 'ER_NO_SUCH_TABLE' }
      }
      await t.rejects(call(), error, String(call))
    }
  })

  t.test('a server that only reads is not an empty one', async (t) => {
    const { store, table, add } = await openStore()
    const key = await add({ ownerId: 'ada' })
    const strict = mysql.pool({}, ['SET SESSION TRANSACTION READ ONLY'])
    const reading = new MySqlStore({ pool: strict, table, clock: () => NOW * 1000, pruneInterval: 0 })
    const calls: (() => Promise<unknown>)[] = [
      () => reading.create(newKey(), newRecord(), LATER),
      () => reading.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: true }),
      () => reading.commit(key, SET_A, LATER),
      () => reading.touch(key, LATER),
      () => reading.destroy(key),
      () => reading.destroyAll('ada')
    ]
    for (const call of calls) {
      await t.rejects(call(), { code: 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION' }, String(call))
    }
    t.ok(await reading.load(key))
    t.equal((await store.list('ada')).length, 1)
  })

  t.test('names cannot inject, with any sql_mode', async (t) => {
    await pool.query('CREATE TABLE y (n INT)')
    const other = `${mysql.database}\`; --`
    await pool.query(`CREATE DATABASE \`${other.replace('`', '``')}\``)
    for (const mode of ['', 'ANSI', 'NO_BACKSLASH_ESCAPES', 'TRADITIONAL']) {
      const moody = mysql.pool({}, [`SET sql_mode = '${mode}'`])
      for (const [table, schema] of [
        ['x`; drop table y; --'],
        ["x'; drop table y; --"],
        ['x`.`y'],
        ['`'],
        ['\\'],
        ['?'],
        ['select'],
        ['Sessions ä'],
        ['x'.repeat(64)],
        ['x`; drop table y; --', mysql.database],
        ['sessions', other]
      ] as [table: string, schema?: string][]) {
        const named = { pool: moody, table, ...(schema === undefined ? {} : { schema }) }
        const store = new MySqlStore({ ...named, clock: () => NOW * 1000, pruneInterval: 0 })
        await store.migrate()
        await store.migrate()
        const key = newKey()
        const owner = `o'hara\\"; -- ${mode}${schema}`
        t.equal(await store.create(key, newRecord({ ownerId: owner }), LATER, { max: 1, evict: true }), true, table)
        t.equal(await store.commit(key, SET_A, LATER, 0), 'committed')
        t.equal((await store.list(owner)).length, 1)
        t.equal(await store.prune(), 0)
      }
    }
    t.same(await select('SELECT COUNT(*) AS `rows` FROM y'), { rows: 0 })
    await pool.query(`DROP DATABASE \`${other.replace('`', '``')}\``)
  })

  t.test('a connection that breaks in a login breaks nothing else', async (t) => {
    const { table, store } = await openStore()
    const { pool: breaking } = count(pool, async (sql, connection) => {
      if (!sql.startsWith('INSERT')) return
      const [rows] = await connection.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id')
      await pool.query(`KILL ${rows[0]?.id}`)
    })
    const late = new MySqlStore({ pool: breaking, table, clock: () => NOW * 1000, pruneInterval: 0 })
    const login = late.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: false })
    await t.rejects(login)
    t.equal(await store.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: false }), true)
  })
}

/** A pool that notes what it is asked. `before` runs before each statement of a connection, and may answer it. */
function count(
  pool: Pool,
  before: (sql: string, connection: Awaited<ReturnType<Pool['getConnection']>>) => unknown = () => {}
): { pool: MySqlPool; statements: string[] } {
  const statements: string[] = []
  const counting: MySqlPool = {
    getConnection: async () => {
      const connection = await pool.getConnection()
      return {
        connection: connection.connection,
        execute: async (statement, values) => {
          statements.push(statement.sql)
          const answer = await before(statement.sql, connection)
          return (answer as [unknown, unknown] | undefined) ?? connection.execute(statement, values)
        },
        release: () => connection.release(),
        destroy: () => connection.destroy()
      }
    }
  }
  return { pool: counting, statements }
}
