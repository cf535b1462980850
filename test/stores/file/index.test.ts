import type { Stats } from 'node:fs'
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { FileStoreOptions } from '../../../lib/stores/file/index.ts'
import { FileStore } from '../../../lib/stores/file/index.ts'
import { FileLocks } from '../../../lib/stores/file/lock.ts'
import { testRaces, testStore } from '../../../lib/testing/index.ts'
import { newKey, newRecord } from '../../../lib/testing/store-contract/bench.ts'
import type { SessionRecord } from '../../../types/store.ts'
import { mountDisk, remountDisk } from '../../helpers/disk.ts'
import { FakeTime, when } from '../../helpers/fake-time.ts'
import { leaveLock, locksIn, newDead } from '../../helpers/locks.ts'
import { ended, killAfter, startScript } from '../../helpers/writers.ts'

const NOW = 1_763_640_000
const LATER = NOW + 3600

interface Place {
  readonly directory: string
  readonly store: FileStore
  /** Moves the clock. */
  advance(seconds: number): void
}

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'session-files-'))
}

function newPlace(options: Partial<FileStoreOptions> = {}, directory: string = newDirectory()): Place {
  let now = NOW
  const store = new FileStore({ directory, clock: () => now * 1000, pruneInterval: 0, ...options })
  const advance = (seconds: number): void => {
    now += seconds
  }
  return { directory, store, advance }
}

async function addTo(store: FileStore, record: Partial<SessionRecord> = {}, expiresAt = LATER): Promise<string> {
  const key = newKey()
  await store.create(key, newRecord(record), expiresAt)
  return key
}

/** Everything below a directory that is a file, or an empty directory, without the files of this process. */
function tree(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.startsWith('processes'))
    .filter((path) => readdirSyncOr(join(directory, path)).length === 0)
    .sort()
}

function readdirSyncOr(path: string): string[] {
  return statSync(path).isDirectory() ? readdirSync(path) : []
}

/** The files of sessions. */
function sessionsIn(directory: string): string[] {
  const folder = join(directory, 'sessions')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => join(folder, path))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
}

async function warningsOf(run: () => Promise<unknown>): Promise<string[]> {
  const warnings: string[] = []
  const note = (warning: Error & { code?: string }): void => {
    warnings.push(`${warning.code}: ${warning.message}`)
  }
  process.on('warning', note)
  await run()
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', note)
  return warnings
}

t.test('the contract', async (t) => {
  const directory = newDirectory()
  testStore({ test: (name, run) => t.test(name, run), open: (clock) => new FileStore({ directory, clock }) })
})

t.test('the races', async (t) => {
  const directory = newDirectory()
  testRaces({ test: (name, run) => t.test(name, run), open: (clock) => new FileStore({ directory, clock }) })
})

t.test('the contract, with every change on the disk', async (t) => {
  const directory = newDirectory()
  const open = (clock: () => number): FileStore => new FileStore({ directory, clock, fsync: true })
  testStore({ test: (name, run) => t.test(name, run), open })
})

t.test('whatever the umask, only the user reads', { skip: process.platform === 'win32' }, async (t) => {
  for (const umask of [0o000, 0o077]) {
    const before = process.umask(umask)
    const directory = join(newDirectory(), 'a', 'b')
    try {
      const { store } = newPlace({}, directory)
      await store.commit(await addTo(store, { ownerId: 'ada' }), { set: { a: '1' }, unset: [] }, LATER)
    } finally {
      process.umask(before)
    }
    const paths = ['.', '..', ...readdirSync(directory, { recursive: true, encoding: 'utf8' })]
    const modes = paths.map((path) => {
      const stats: Stats = statSync(join(directory, path))
      return `${stats.isDirectory() ? 'directory' : 'file'} ${(stats.mode & 0o777).toString(8)}`
    })
    t.same([...new Set(modes)].sort(), ['directory 700', 'file 600'])
  }
})

t.test('the names of files do not depend on upper and lower case, and lose no bit', async (t) => {
  const { store, directory } = newPlace()
  const keys = [`${'a'.repeat(42)}A`, `${'A'.repeat(42)}a`, 'a'.repeat(43), `${'a'.repeat(42)}b`, `${'a'.repeat(42)}c`]
  for (const [index, key] of keys.entries()) {
    t.equal(await store.create(key, newRecord({ json: `{"n":${index}}`, ownerId: 'ada' }), LATER), true)
  }
  for (const [index, key] of keys.entries()) t.equal((await store.load(key))?.json, `{"n":${index}}`)
  t.same((await store.list('ada')).map(({ key }) => key).sort(), keys.toSorted())
  const names = sessionsIn(directory).map((path) => path.slice(directory.length).toLowerCase())
  t.equal(new Set(names).size, keys.length)
})

t.test('what is not a key never reaches the disk', async (t) => {
  const { store, directory } = newPlace()
  const outside = join(directory, '../session-outside')
  rmSync(outside, { force: true })
  const before = tree(directory)
  for (const key of [
    '',
    'x',
    '../../session-outside',
    `../${'a'.repeat(40)}`,
    `/${'a'.repeat(42)}`,
    `${'a'.repeat(42)}.`,
    `${'a'.repeat(42)}\0`,
    `${'a'.repeat(43)}\n`,
    'a'.repeat(44),
    'ä'.repeat(43)
  ]) {
    t.equal(await store.load(key), undefined)
    t.equal(await store.commit(key, { set: {}, unset: [] }, LATER), 'gone')
    t.equal(await store.touch(key, LATER), false)
    await store.destroy(key)
    await t.rejects(store.create(key, newRecord(), LATER), { name: 'TypeError', message: /43 characters/ })
  }
  for (const ownerId of ['../../session-outside', '/etc/passwd', '\0', '', '.', 'x'.repeat(10_000)]) {
    const key = await addTo(store, { ownerId })
    t.same(
      (await store.list(ownerId)).map((record) => record.key),
      [key]
    )
    t.equal(await store.destroyAll(ownerId, '../../x'), 1)
  }
  t.equal(existsSync(outside), false)
  t.same(
    tree(directory).filter((path) => !/^(sessions|owners)\/[0-9a-f]{2}$/.test(path)),
    before.filter((path) => !/^(sessions|owners)$/.test(path))
  )
})

t.test('owners that UTF-8 would make one are two', async (t) => {
  const { store, directory } = newPlace()
  const [first, second] = [await addTo(store, { ownerId: '\ud800' }), await addTo(store, { ownerId: '\ud801' })]
  t.same(
    (await store.list('\ud800')).map(({ key }) => key),
    [first]
  )
  t.same(
    (await store.list('\ud801')).map(({ key }) => key),
    [second]
  )
  const names = readdirSync(join(directory, 'owners'), { recursive: true, encoding: 'utf8' })
  t.equal(
    names.filter((name) => /[0-9a-f]{64}$/.test(name) && !/[0-9a-f]{66}$/.test(name)).length,
    2,
    'also on the disk'
  )
})

t.test('several processes write to one session, and nothing that was acknowledged is lost', async (t) => {
  const directory = newDirectory()
  const store = new FileStore({ directory, lockTimeout: 20 })
  const key = await addTo(store, {}, Math.floor(Date.now() / 1000) + 3600)
  const children = ['one', 'two', 'three'].map((name) =>
    startScript('store-writer.ts', ['file', directory, key, name, '25'])
  )
  for (const child of children) child.stdout?.resume()
  t.same(await Promise.all(children.map(ended)), [0, 0, 0])
  const { json = '', version } = (await store.load(key)) ?? {}
  t.match(JSON.parse(json), { one: 25, two: 25, three: 25, all: 75 })
  t.equal(version, 150)
  t.same(
    tree(directory).filter((path) => /^(locks|temporary)\//.test(path)),
    [],
    'and nothing is left over'
  )
  await store.close()
})

t.test('a process may be killed at any time', async (t) => {
  const directory = newDirectory()
  const store = new FileStore({ directory, lockTimeout: 120 })
  const key = await addTo(store, {}, Math.floor(Date.now() / 1000) + 3600)
  const names = Array.from({ length: 8 }, (_, index) => `writer${index}`)
  // Two at a time, so that one writes on while the other dies.
  for (let index = 0; index < names.length; index += 2) {
    const pair = names.slice(index, index + 2)
    const acknowledged = await Promise.all(
      pair.map((name, second) =>
        killAfter(startScript('store-writer.ts', ['file', directory, key, name, '0']), 1 + index + second * 7)
      )
    )
    const before = performance.now()
    t.equal(await store.commit(key, { set: { mine: String(index) }, unset: [] }, LATER * 2), 'committed')
    t.ok(performance.now() - before < 30_000, 'and nobody waits half of the timeout for the dead')
    const data = JSON.parse((await store.load(key))?.json ?? '{}')
    for (const [second, name] of pair.entries()) {
      const last = acknowledged[second] as number
      t.ok(last > 0)
      t.ok(data[name] === last || data[name] === last + 1, `${name}: ${data[name]} of ${last} acknowledged`)
      t.equal(data[`${name} text`], String(data[name] % 10).repeat(20_000 + data[name]), 'whole')
    }
  }
  for (const name of readdirSync(join(directory, 'temporary'))) {
    utimesSync(join(directory, 'temporary', name), 0, 0)
  }
  await store.prune()
  t.same(
    tree(directory).filter((path) => /^(locks|temporary)\//.test(path)),
    []
  )
  t.equal(readdirSync(join(directory, 'processes')).length, 1, 'the only one that lives')
  await store.close()
})

t.test(
  'a damaged file is an error, which names no key; it is no session of its owner, and ends with them',
  async (t) => {
    const { store, directory } = newPlace()
    const key = await addTo(store, { json: '{"secret":"value"}', ownerId: 'ada' })
    const [path = ''] = sessionsIn(directory)
    truncateSync(path, 150)
    const expected = {
      code: 'ERR_SESSION_UNREADABLE',
      path,
      message: /^The FileStore cannot read a session in .*checksum/
    }
    for (const attempt of [(): Promise<unknown> => store.load(key), () => store.create(key, newRecord(), LATER)]) {
      await t.rejects(attempt, expected)
      const error = await attempt().catch((error: Error) => error)
      const name = path.slice(-66)
      t.notMatch((error as Error).message, new RegExp(`${key}|${name}|secret|value`))
    }
    t.equal(await store.commit(key, { set: {}, unset: [] }, LATER), 'gone')
    t.equal(await store.touch(key, LATER), false)
    const other = newKey()
    t.equal(await store.create(other, newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: false }), true)
    t.same(
      (await store.list('ada')).map((record) => record.key),
      [other]
    )
    t.ok(existsSync(path), 'it may be restored')
    const warnings = await warningsOf(async () => {
      t.equal(await store.prune(), 0)
      t.equal(await store.prune(), 0)
    })
    t.match(
      warnings,
      [`SESSION_FILE_UNREADABLE: The FileStore cannot read 1 of the files in ${join(directory, 'sessions')}.`],
      'once'
    )
    t.ok(existsSync(path), 'nobody removed it')
    t.equal(await store.destroyAll('ada', other), 1, 'but whoever ends the sessions of the owner')
    t.equal(await store.load(key), undefined)
    t.equal(await addTo(store).then((other) => store.destroy(other)), undefined)
  }
)

t.test('destroy removes also a file that cannot be read', async (t) => {
  const { store, directory } = newPlace()
  const key = await addTo(store)
  writeFileSync(sessionsIn(directory)[0] ?? '', '')
  await store.destroy(key)
  t.equal(await store.load(key), undefined)
})

t.test('a disk that is not there is an error, and not a logout', async (t) => {
  const { store, directory } = newPlace()
  const key = await addTo(store, { ownerId: 'ada' })
  renameSync(directory, `${directory}-away`)
  mkdirSync(directory, 0o700)
  for (const attempt of [
    (): Promise<unknown> => store.load(key),
    () => store.list('ada'),
    () => store.destroyAll('ada'),
    () => store.commit(key, { set: {}, unset: [] }, LATER),
    () => store.create(newKey(), newRecord({ ownerId: 'eve' }), LATER),
    () => store.prune()
  ]) {
    await t.rejects(attempt, { code: 'ENOENT', message: /in .* does not exist\. Is the disk mounted\? \(ENOENT\)\.$/ })
  }
  t.same(readdirSync(directory), [], 'and nothing is written beside it')
  rmSync(directory, { recursive: true })
  renameSync(`${directory}-away`, directory)
  t.not(await store.load(key), undefined)
})

t.test('a disk error is told with the directory, the code and its cause', async (t) => {
  const { store, directory } = newPlace()
  const key = await addTo(store, { json: '{"a":1}' })
  rmSync(join(directory, 'temporary'), { recursive: true })
  writeFileSync(join(directory, 'temporary'), '')
  const error = await store.commit(key, { set: { a: '2' }, unset: [] }, LATER).catch((error: Error) => error)
  t.match(error, { code: 'ENOTDIR', cause: { syscall: 'open' } })
  t.equal(
    (error as Error).message,
    `The FileStore could not write a session in ${directory}: the system reports an error (ENOTDIR).`
  )
  t.equal((await store.load(key))?.json, '{"a":1}')
})

t.test('something else in the place of a directory or a file is an error', async (t) => {
  const { store, directory } = newPlace()
  const key = await addTo(store, { ownerId: 'ada' })
  const [path = ''] = sessionsIn(directory)
  rmSync(path)
  mkdirSync(path)
  await t.rejects(store.load(key), { code: 'EISDIR' })
  await t.rejects(store.destroy(key), { code: 'EISDIR' })
  await t.rejects(store.prune(), { code: 'EISDIR' })
  rmSync(join(path, '..'), { recursive: true })
  writeFileSync(join(path, '..'), '')
  await t.rejects(store.load(key), { code: 'ENOTDIR' })
  await t.rejects(store.create(key, newRecord({ ownerId: 'ada' }), LATER), { code: 'ENOTDIR' })
  // A key of its directory comes up by chance once in 256 times.
  rmSync(join(path, '..'))
  rmSync(join(directory, 'owners'), { recursive: true })
  writeFileSync(join(directory, 'owners'), '')
  await t.rejects(addTo(store, { ownerId: 'ada' }), { code: 'ENOTDIR' })
  rmSync(join(directory, 'owners'))
  await t.rejects(addTo(store, { ownerId: 'ada' }), { code: 'ENOENT' })
})

t.test('on a full disk the old session stays whole, and can still be ended', async (t) => {
  const directory = newDirectory()
  if (!mountDisk(t, directory, '512k')) return
  const { store } = newPlace({}, directory)
  const key = await addTo(store, { json: '{"a":1}', ownerId: 'ada' })
  const other = await addTo(store, { ownerId: 'ada' })
  t.throws(() => writeFileSync(join(directory, 'filler'), Buffer.alloc(1024 * 1024)), { code: 'ENOSPC' })
  const message = `The FileStore could not write a session in ${directory}: the disk is full (ENOSPC).`
  await t.rejects(store.commit(key, { set: { a: '2' }, unset: [] }, LATER), { code: 'ENOSPC', message })
  await t.rejects(store.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 2, evict: true }), {
    code: 'ENOSPC'
  })
  t.equal((await store.list('ada')).length, 2, 'nobody made room for a session that could not be written')
  t.equal((await store.load(key))?.json, '{"a":1}')
  t.same(readdirSync(join(directory, 'temporary')), [])
  t.same(readdirSync(join(directory, 'locks')), [])
  await store.destroy(key)
  t.equal(await store.load(key), undefined)
  rmSync(join(directory, 'filler'))
  t.equal(await store.commit(other, { set: { a: '2' }, unset: [] }, LATER), 'committed')
})

t.test('a read-only disk can be read', async (t) => {
  const directory = newDirectory()
  if (!mountDisk(t, directory, '512k')) return
  const { store } = newPlace({}, directory)
  const key = await addTo(store, { json: '{"a":1}', ownerId: 'ada' })
  remountDisk(directory, 'ro')
  const message = `The FileStore could not write a session in ${directory}: the disk is read-only (EROFS).`
  await t.rejects(store.commit(key, { set: {}, unset: [] }, LATER), { code: 'EROFS', message })
  await t.rejects(store.destroy(key), { code: 'EROFS' })
  await t.rejects(addTo(store), { code: 'EROFS' })
  t.equal((await store.list('ada')).length, 1)
  const { store: fresh } = newPlace({}, directory)
  t.equal((await fresh.load(key))?.json, '{"a":1}')
})

t.test('prune removes what has expired, its index, and what killed processes left', async (t) => {
  const { store, directory, advance } = newPlace()
  const before = tree(directory)
  await addTo(store, { ownerId: 'ada' }, NOW + 10)
  await addTo(store, {}, NOW + 10)
  const kept = await addTo(store, { ownerId: 'ada' }, NOW + 100)
  const alone = await addTo(store, {}, NOW + 100)
  const temporary = join(directory, 'temporary')
  for (const name of ['old', 'new']) writeFileSync(join(temporary, name), 'fastify-typed-session 1 ')
  utimesSync(join(temporary, 'old'), Date.now() / 1000 - 3700, Date.now() / 1000 - 3700)
  for (const folder of ['sessions', 'owners']) writeFileSync(join(directory, folder, '.DS_Store'), 'of somebody else')
  writeFileSync(join(directory, 'sessions', toFile(kept).slice(0, 2), 'note'), 'of somebody else')
  advance(11)
  t.equal(await store.prune(), 2)
  t.same(readdirSync(temporary), ['new'])
  t.same(
    (await store.list('ada')).map(({ key }) => key),
    [kept]
  )
  t.not(await store.load(alone), undefined)
  t.equal(await store.prune(), 0)
  advance(100)
  t.equal(await store.prune(), 2)
  rmSync(join(temporary, 'new'))
  const left = tree(directory).filter((path) => !/^(sessions|owners)\/([0-9a-f]{2}|.DS_Store)$|note$/.test(path))
  t.same(
    left,
    before.filter((path) => !/^(sessions|owners)$/.test(path))
  )
})

function toFile(key: string): string {
  return Buffer.from(`${key}A`, 'base64url').toString('hex')
}

t.test('one at a time prunes', async (t) => {
  const { store, directory, advance } = newPlace()
  await addTo(store, {}, NOW + 10)
  const kept = await addTo(store)
  advance(20)
  const other = new FileLocks(directory, 1)
  await other.runIfFree('prune', async () => {
    t.equal(await store.prune(), 0, 'another process does it')
  })
  t.same(await Promise.all([store.prune(), store.prune()]), [1, 1], 'two calls are one')
  t.equal(await store.prune(), 0)
  t.ok(await store.load(kept))
  leaveLock(directory, 'prune', await newDead())
  await addTo(store, {}, NOW + 30)
  advance(20)
  t.equal(await store.prune(), 1, 'a killed process prunes no more')
  t.same(locksIn(directory), [])
  await other.close()
})

t.test('prune makes the index good in both directions', async (t) => {
  const { store, directory } = newPlace()
  const [lost, kept] = [await addTo(store, { ownerId: 'ada' }), await addTo(store, { ownerId: 'ada' })]
  const folder = join(directory, 'owners')
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  const [entry = ''] = entries.filter((path) => path.endsWith(toFile(lost)))
  rmSync(join(folder, entry))
  // What a process leaves that was killed between the two, and one that was killed before it removed the directory.
  const orphan = toFile(newKey())
  writeFileSync(join(folder, entry, '..', orphan), '')
  mkdirSync(join(folder, 'ab', 'ab'.repeat(32)), { recursive: true })
  t.same(
    (await store.list('ada')).map(({ key }) => key),
    [kept]
  )
  t.equal(await store.destroyAll('nobody'), 0)
  t.equal(await store.prune(), 0)
  t.same((await store.list('ada')).map(({ key }) => key).sort(), [lost, kept].sort())
  t.equal(existsSync(join(folder, entry, '..', orphan)), false)
  t.same(
    readdirSync(join(folder, 'ab')).filter((name) => name === 'ab'.repeat(32)),
    []
  )
})

t.test('prune leaves the index of a session alone that is being created', async (t) => {
  const { store, directory } = newPlace()
  const key = await addTo(store, { ownerId: 'ada' })
  const [path = ''] = sessionsIn(directory)
  const locks = new FileLocks(directory, 10_000)
  const time = new FakeTime(t)
  // Between the index and the session.
  renameSync(path, `${path}-later`)
  let pruning: Promise<number> = Promise.resolve(-1)
  await locks.run(`session-${toFile(key)}`, async () => {
    pruning = store.prune()
    // It misses the session, and sets a timer before it tries to lock it once more.
    await when(() => time.pending === 1)
    renameSync(`${path}-later`, path)
  })
  t.equal(await time.pass(pruning), 0)
  t.same(
    (await store.list('ada')).map((record) => record.key),
    [key]
  )
})

t.test('a session that ends during prune is not counted', async (t) => {
  const directory = newDirectory()
  let onLook = (): void => {}
  const clock = (): number => {
    onLook()
    return NOW * 1000
  }
  const store = new FileStore({ directory, clock, pruneInterval: 0 })
  for (const end of ['A', 'B']) await store.create('a'.repeat(42) + end, newRecord(), NOW - 1)
  onLook = () => {
    for (const path of sessionsIn(directory)) rmSync(path)
  }
  t.equal(await store.prune(), 0)
})

t.test('several who prune at once disturb nobody', async (t) => {
  const { store, directory, advance } = newPlace()
  for (let index = 0; index < 20; index++) await addTo(store, { ownerId: `owner${index % 3}` }, NOW + (index % 2) * 100)
  for (let index = 0; index < 20; index++) {
    const name = join(directory, 'temporary', String(index))
    writeFileSync(name, '')
    utimesSync(name, 0, 0)
  }
  advance(10)
  const others = Array.from({ length: 3 }, () => newPlace({}, directory))
  for (const other of others) other.advance(10)
  const logins = Array.from({ length: 20 }, (_, index) => addTo(store, { ownerId: `owner${index % 5}` }))
  const counts = await Promise.all([store, ...others.map((other) => other.store)].map((each) => each.prune()))
  t.equal(
    counts.reduce((sum, count) => sum + count),
    10
  )
  const keys = await Promise.all(logins)
  const listed = await Promise.all([0, 1, 2, 3, 4].map((index) => store.list(`owner${index}`)))
  t.equal(listed.flat().length, 30)
  t.equal(
    keys.every((key) => listed.flat().some((record) => record.key === key)),
    true
  )
})

t.test('the key of an expired session may pass to another owner, who alone then finds it', async (t) => {
  const { store, advance } = newPlace()
  const key = await addTo(store, { ownerId: 'ada' }, NOW + 10)
  advance(11)
  t.equal(await store.create(key, newRecord({ ownerId: 'eve' }), LATER), true)
  t.same(await store.list('ada'), [])
  t.equal((await store.list('eve')).length, 1)
  t.equal(await store.destroyAll('ada'), 0)
  t.not(await store.load(key), undefined)
})

t.test('a key that exists makes nobody give way', async (t) => {
  const { store } = newPlace()
  const [key, other] = [await addTo(store, { ownerId: 'eve' }), await addTo(store, { ownerId: 'ada' })]
  t.equal(await store.create(key, newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: true }), false)
  const refusal = { max: 1, evict: false }
  t.equal(await store.create(key, newRecord({ ownerId: 'ada' }), LATER, refusal), false)
  t.equal(await store.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, refusal), 'over-limit')
  t.not(await store.load(other), undefined)
})

t.test('an owner whose last session has ended can have another one', async (t) => {
  const { store, directory } = newPlace()
  await store.destroy(await addTo(store, { ownerId: 'ada' }))
  t.equal(tree(directory).filter((path) => path.startsWith('owners/')).length, 1, 'only the part of the index')
  const key = await addTo(store, { ownerId: 'ada' })
  t.same(
    (await store.list('ada')).map((record) => record.key),
    [key]
  )
  const [part = ''] = readdirSync(join(directory, 'owners'))
  const [owner = ''] = readdirSync(join(directory, 'owners', part))
  rmSync(join(directory, 'owners', part, owner), { recursive: true })
  writeFileSync(join(directory, 'owners', part, owner), '')
  await t.rejects(store.list('ada'), { code: 'ENOTDIR' })
  await t.rejects(store.destroy(key), { code: 'ENOTDIR' })
  t.equal(await store.load(key), undefined, 'it is the index that could not be read')
})

t.test('a session that is locked for long is an error', async (t) => {
  const { store, directory } = newPlace({ lockTimeout: 0.05 })
  const key = await addTo(store)
  const [token = ''] = readdirSync(join(directory, 'processes'))
  const other = newPlace({}, directory).store
  await other.destroy(await addTo(other))
  const [theirs = ''] = readdirSync(join(directory, 'processes')).filter((name) => name !== token)
  linkSync(join(directory, 'processes', theirs), join(directory, 'locks', `session-${toFile(key)}`))
  const time = new FakeTime(t)
  await t.rejects(time.pass(store.touch(key, LATER)), {
    message: `A lock in ${directory} was not released within 0.05 s (lockTimeout). Process ${process.pid} holds it.`
  })
  t.not(await store.load(key), undefined, 'but reading needs no lock')
})

t.test('nothing is written for a caller that has given up, except the end of a session', async (t) => {
  const { store, directory } = newPlace()
  const [key, other] = [await addTo(store, { json: '{"a":1}', ownerId: 'ada' }), newKey()]
  const late = { deadline: performance.now() - 1 }
  const before = tree(directory)
  const changes = { set: { a: '2' }, unset: [] }
  for (const attempt of [
    (): Promise<unknown> => store.create(other, newRecord({ ownerId: 'ada' }), LATER, undefined, late),
    () => store.create(other, newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: true }, late),
    () => store.commit(key, changes, LATER, undefined, late),
    () => store.touch(key, LATER + 1, undefined, late),
    () => store.destroyAll('ada', undefined, late)
  ]) {
    await t.rejects(attempt, { message: 'The store had no time left for a change. Nothing was written.' })
  }
  t.same(tree(directory), before)
  t.match(await store.load(key), { json: '{"a":1}', expiresAt: LATER, version: 0 })
  t.equal(await store.commit(key, changes, LATER, 0, { deadline: performance.now() + 60_000 }), 'committed')
  const destroy: (key: string, call: object) => Promise<void> = store.destroy.bind(store)
  await destroy(key, late)
  t.equal(await store.load(key), undefined)
})

t.test('a call that waits for its turn has one deadline, and does nothing after it', async (t) => {
  const { store, directory } = newPlace({ lockTimeout: 60 })
  const key = await addTo(store, { json: '{"a":0}', ownerId: 'ada' })
  const time = new FakeTime(t)
  const locks = new FileLocks(directory, 60)
  const calls: Promise<unknown>[] = []
  const call = { deadline: time.now + 500 }
  const start = time.now
  let finished = Number.NaN
  await locks.run(`session-${toFile(key)}`, async () => {
    for (let n = 1; n <= 5; n++) {
      calls.push(store.commit(key, { set: { a: String(n) }, unset: [] }, LATER, undefined, call))
    }
    calls.push(store.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: true }, call))
    calls.push(store.touch(key, LATER + 1, undefined, call), store.destroyAll('ada', undefined, call))
    const results = await time.pass(Promise.allSettled(calls))
    finished = time.now
    t.same([...new Set(results.map(({ status }) => status))], ['rejected'])
  })
  t.ok(finished - start >= 500 && finished - start < 700, 'all at the same time')
  t.match(await time.pass(store.load(key)), { json: '{"a":0}', expiresAt: LATER, version: 0 })
  t.equal((await time.pass(store.list('ada'))).length, 1)
})

t.test('expired sessions are removed again and again, until it is closed', async (t) => {
  const time = new FakeTime(t)
  const { store, directory, advance } = newPlace({ pruneInterval: 3600 })
  for (const [turn, wait] of [30_000, 3_600_000].entries()) {
    await addTo(store, {}, NOW + turn * 20 + 10)
    advance(20)
    time.advance(wait)
    await when(() => sessionsIn(directory).length === 0 && time.pending === 1)
  }
  await store.close()
  t.equal(time.pending, 0)
  t.equal(await store.load(newKey()), undefined, 'and another application goes on')
})

t.test('a file is what the documentation says', async (t) => {
  const { store, directory } = newPlace()
  await addTo(store, { json: '{"cart":["ä"]}' })
  const [path = ''] = sessionsIn(directory)
  t.match(readFileSync(path, 'utf8'), /^fastify-typed-session 1 [0-9a-f]{8}\n\{"key":.*\}\n\{"cart":\["ä"\]\}\n$/)
  t.match(path.slice(directory.length), /^\/sessions\/([0-9a-f]{2})\/\1[0-9a-f]{64}$/)
})
