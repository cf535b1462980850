import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { FileRevocations, FileStore } from '../../../lib/stores/file/index.ts'
import { testRevocations } from '../../../lib/testing/index.ts'
import { newKey, newRecord } from '../../../lib/testing/store-contract/bench.ts'
import type { Revocation, RevocationList } from '../../../types/revocations.ts'
import { mountDisk, remountDisk } from '../../helpers/disk.ts'
import { FakeTime, when } from '../../helpers/fake-time.ts'
import { leaveLock, locksIn, newDead } from '../../helpers/locks.ts'
import { ended, killAfter, linesOf, startScript } from '../../helpers/writers.ts'

const NOW = 1_763_640_000
const INVALID = { code: 'ERR_SESSION_OPTION_INVALID' }
const clock = (): number => NOW * 1000

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'session-revocations-'))
}

function entryOf(id: string, until = NOW + 60): Revocation {
  return { kind: 'session', id, until }
}

/** One that takes much room. */
function largeOf(id: string, until = NOW + 60): Revocation {
  return { kind: 'owner', id, before: NOW, except: ['x'.repeat(10_000)], until }
}

async function allOf(list: RevocationList, from?: string): Promise<{ ids: string[]; position: string }> {
  const ids: string[] = []
  for (let position = from; ; ) {
    const page = await list.since(position)
    for (const entry of page.entries) ids.push((entry as { id: string }).id)
    position = page.position
    if (!page.hasMore) return { ids, position }
  }
}

const logOf = (directory: string): string => join(directory, 'revocations.log')

t.test('two processes on one directory keep the rules of a list', async (t) => {
  const directory = newDirectory()
  testRevocations({
    test: (name, run) => t.test(name, run),
    open: (clock) => new FileRevocations({ directory, clock })
  })
})

t.test('several processes add at once: nothing is lost, and each session has ended once', async (t) => {
  const directory = newDirectory()
  const names = ['one', 'two', 'three']
  const children = names.map((name) => startScript('revocation-writer.ts', [directory, name, '30']))
  const won = await Promise.all(
    children.map(async (child) => {
      const lines: string[] = []
      for await (const line of linesOf(child)) lines.push(line)
      return lines
    })
  )
  t.same(await Promise.all(children.map(ended)), [0, 0, 0])
  const { ids } = await allOf(new FileRevocations({ directory }))
  const numbers = Array.from({ length: 30 }, (_, index) => index + 1)
  const wanted = ['shared', ...names].flatMap((name) => numbers.map((n) => `${name}-${n}`))
  t.same(ids.toSorted(), wanted.toSorted())
  t.same(won.flat().sort(), numbers.map((n) => `shared-${n}`).sort())
  t.same(locksIn(directory), [])
})

t.test('a process may be killed at any time', async (t) => {
  const directory = newDirectory()
  const list = new FileRevocations({ directory })
  const names = Array.from({ length: 6 }, (_, index) => `writer${index}`)
  // Two at a time, so that one writes on while the other dies.
  for (let index = 0; index < names.length; index += 2) {
    const pair = names.slice(index, index + 2)
    const acknowledged = await Promise.all(
      pair.map((name, second) =>
        killAfter(startScript('revocation-writer.ts', [directory, name, '0']), 1 + index + second * 7)
      )
    )
    const before = performance.now()
    t.equal(await list.add({ kind: 'session', id: `mine-${index}`, until: NOW * 2 }), undefined)
    t.ok(performance.now() - before < 1500, 'nobody waits for the dead')
    const { ids } = await allOf(list)
    t.ok(ids.includes(`mine-${index}`))
    for (const [second, name] of pair.entries()) {
      const last = acknowledged[second] as number
      const theirs = ids.filter((id) => id.startsWith(`${name}-`)).length
      t.ok(last > 0 && (theirs === last || theirs === last + 1), `${theirs} of ${last} acknowledged`)
    }
  }
  await new FileRevocations({ directory }).add(entryOf('other'))
  // What the dead have left is removed.
  await when(() => readdirSync(join(directory, 'processes')).length === 2 && locksIn(directory).length === 0)
})

t.test('whatever the umask, only the user reads', { skip: process.platform === 'win32' }, async (t) => {
  for (const umask of [0o000, 0o077]) {
    const before = process.umask(umask)
    const directory = join(newDirectory(), 'a', 'b')
    try {
      await new FileRevocations({ directory, clock }).add(entryOf('a'))
    } finally {
      process.umask(before)
    }
    for (const path of ['.', '..', 'locks', 'processes']) {
      t.equal(statSync(join(directory, path)).mode & 0o777, 0o700)
    }
    t.equal(statSync(logOf(directory)).mode & 0o777, 0o600)
  }
})

t.test('what is over makes room for what comes, and who is behind reads everything anew', async (t) => {
  let now = NOW
  const clock = (): number => now * 1000
  const directory = newDirectory()
  const [list, other] = [new FileRevocations({ directory, clock }), new FileRevocations({ directory, clock })]
  t.equal(await other.add(entryOf('first', NOW + 5)), undefined)
  const size = (): number => statSync(logOf(directory)).size
  await Promise.all(Array.from({ length: 20 }, (_, index) => list.add(largeOf(`short ${index}`, NOW + 1))))
  const { position, ids } = await allOf(other)
  t.equal(ids.length, 21)
  now += 2
  await list.add(entryOf('small'))
  t.ok(size() > 200_000, 'a small file is left alone')
  await Promise.all(Array.from({ length: 10 }, (_, index) => list.add(largeOf(`long ${index}`))))
  await list.add(entryOf('last', NOW + 10))
  await when(() => size() < 150_000)
  const rest = ['first', 'small', ...Array.from({ length: 10 }, (_, index) => `long ${index}`), 'last']
  for (const reader of [list, other, new FileRevocations({ directory, clock })]) {
    t.same((await allOf(reader, position)).ids, rest)
  }
  t.match(await other.add(entryOf('small')), entryOf('small'), 'a session that has ended stays ended')
  now = NOW + 11
  t.equal(await other.add(entryOf('first', NOW + 60)), undefined, 'until its entry is over')
  t.equal(await list.add(entryOf('last', NOW + 60)), undefined)
  t.match(await other.add(entryOf('last')), entryOf('last'))
})

t.test('a file that is in use is not written anew, and not searched again until it has doubled', async (t) => {
  let now = NOW
  const directory = newDirectory()
  const list = new FileRevocations({ directory, clock: () => now * 1000 })
  const size = (): number => statSync(logOf(directory)).size
  const head = (): string => readFileSync(logOf(directory), 'utf8').slice(0, 60)
  await list.add(entryOf('first'))
  const before = head()
  for (let n = 0; n < 40; n++) await list.add(largeOf(`short ${n}`))
  now += 3600
  let largest = 0
  for (let n = 0; head() === before && n < 100; n++) {
    await list.add(largeOf(`long ${n}`, now + 60))
    largest = Math.max(largest, size())
  }
  t.ok(largest > 2 * 262_144, String(largest))
  t.not(head(), before)
  t.ok(size() < 400_000)
})

t.test('while the file is written anew, others add, and nothing is lost', async (t) => {
  let now = NOW
  const directory = newDirectory()
  const lists = Array.from({ length: 3 }, () => new FileRevocations({ directory, clock: () => now * 1000 }))
  const [first] = lists as [FileRevocations]
  await Promise.all(Array.from({ length: 60 }, (_, index) => first.add(largeOf(`short ${index}`))))
  const before = readFileSync(logOf(directory), 'utf8').slice(0, 60)
  now += 61
  const wanted: string[] = []
  for (let round = 0; round < 40; round++) {
    const ids = lists.map((_, index) => `${round} ${index}`)
    wanted.push(...ids)
    await Promise.all(lists.map((list, index) => list.add(entryOf(ids[index] as string, now + 60))))
  }
  t.same((await allOf(first)).ids.toSorted(), wanted.toSorted())
  t.not(readFileSync(logOf(directory), 'utf8').slice(0, 60), before, 'it was')
})

t.test('what cannot be tidied up fails nothing that is added', async (t) => {
  const directory = newDirectory()
  const list = new FileRevocations({ directory, clock })
  mkdirSync(join(directory, 'locks', 'not-a-lock'))
  for (const id of ['a', 'b', 'c']) t.equal(await list.add(entryOf(id)), undefined)
  t.same((await allOf(list)).ids, ['a', 'b', 'c'])
})

t.test('a part of a line that somebody has left harms nobody', async (t) => {
  const directory = newDirectory()
  const list = new FileRevocations({ directory, clock })
  await list.add(entryOf('a'))
  const { position } = await list.since()
  appendFileSync(logOf(directory), '{"kind":"session","id":"b","un')
  t.same((await allOf(list, position)).ids, [])
  t.match(await list.add(entryOf('a')), entryOf('a'))
  t.equal(await list.add(entryOf('b')), undefined)
  t.same((await allOf(list, position)).ids, ['b'])
  appendFileSync(logOf(directory), '{"kind":"sess')
  const other = new FileRevocations({ directory, clock })
  t.match(await other.add(entryOf('b')), entryOf('b'), 'also when nothing is added')
  t.equal(await other.add(entryOf('c')), undefined)
  for (const reader of [list, other]) t.same((await allOf(reader)).ids, ['a', 'b', 'c'])
})

t.test('a list that somebody has removed begins anew; without its directory it fails', async (t) => {
  const directory = newDirectory()
  const list = new FileRevocations({ directory, clock })
  t.same(await list.since(), { entries: [], position: '- 0', hasMore: false })
  await list.add(entryOf('a'))
  const { position } = await list.since()
  rmSync(logOf(directory))
  t.same((await allOf(list, position)).ids, [])
  t.equal(await list.add(entryOf('a')), undefined)
  t.same((await allOf(list, position)).ids, ['a'])
  renameSync(directory, `${directory}-away`)
  mkdirSync(directory, 0o700)
  const missing = `in ${directory}: the directory or a part of it does not exist. Is the disk mounted? (ENOENT).`
  await t.rejects(list.since(position), {
    code: 'ENOENT',
    message: `The FileRevocations could not read what is new ${missing}`
  })
  await t.rejects(list.add(entryOf('b')), {
    code: 'ENOENT',
    message: `The FileRevocations could not add an entry ${missing}`
  })
  t.same(readdirSync(directory), [], 'and nothing is written beside it')
  rmSync(directory, { recursive: true })
  renameSync(`${directory}-away`, directory)
  t.equal(await list.add(entryOf('b')), undefined)
})

t.test('a file of something else fails what is asked, and says so', async (t) => {
  const directory = newDirectory()
  const list = new FileRevocations({ directory, clock })
  writeFileSync(logOf(directory), 'something else')
  const message = /^The FileRevocations cannot read its list: the file revocations\.log is not one/
  await t.rejects(list.since(), { message })
  await t.rejects(Promise.all([list.add(entryOf('a')), list.add(entryOf('b'))]), { message })
  rmSync(logOf(directory))
  t.equal(await list.add(entryOf('a')), undefined)
})

t.test('a full disk fails what is added, and only that', async (t) => {
  const directory = newDirectory()
  if (!mountDisk(t, directory, '512k')) return
  const list = new FileRevocations({ directory, clock })
  await list.add(entryOf('a'))
  t.throws(() => writeFileSync(join(directory, 'filler'), Buffer.alloc(1024 * 1024)), { code: 'ENOSPC' })
  await t.rejects(list.add(largeOf('b')), {
    code: 'ENOSPC',
    message: `The FileRevocations could not add an entry in ${directory}: the disk is full (ENOSPC).`
  })
  t.same((await allOf(list)).ids, ['a'])
  rmSync(join(directory, 'filler'))
  t.equal(await list.add(largeOf('b')), undefined)
  t.same((await allOf(list)).ids, ['a', 'b'])
  remountDisk(directory, 'ro')
  await t.rejects(list.add(entryOf('c')), { code: 'EROFS' })
  t.same((await allOf(new FileRevocations({ directory, clock }))).ids, ['a', 'b'], 'and it can be read')
})

t.test('a lock that nobody gives back fails what is added, in time', async (t) => {
  const directory = newDirectory()
  const [list, other] = [new FileRevocations({ directory, clock }), new FileRevocations({ directory, clock })]
  await other.add(entryOf('a'))
  const [holder = ''] = readdirSync(join(directory, 'processes'))
  await when(() => locksIn(directory).length === 0)
  leaveLock(directory, 'revocations', JSON.parse(readFileSync(join(directory, 'processes', holder), 'utf8')), 'alive')
  const time = new FakeTime(t)
  await t.rejects(time.pass(list.add(entryOf('b'))), {
    message: `A lock in ${directory} was not released in time. Process ${process.pid} holds it.`
  })
  rmSync(join(directory, 'locks/revocations'))
  t.equal(await list.add(entryOf('b')), undefined)
})

t.test('it can share the directory of a store, whose pruning leaves it alone', async (t) => {
  const directory = newDirectory()
  const store = new FileStore({ directory, clock, pruneInterval: 0 })
  const list = new FileRevocations({ directory, clock })
  leaveLock(directory, 'revocations', await newDead())
  const key = newKey()
  await Promise.all([list.add(entryOf('a')), store.create(key, newRecord(), NOW + 60)])
  writeFileSync(`${logOf(directory)}.new`, '')
  await store.prune()
  t.same((await allOf(list)).ids, ['a'])
  t.not(await store.load(key), undefined)
  await store.close()
})

t.test('wrong options, and a directory that others may enter, are refused', async (t) => {
  for (const options of [undefined, {}, { directory: '' }, { directory: 7 }, { directory: 'x', clock: 1 }]) {
    t.throws(() => new FileRevocations(options as never), INVALID)
  }
  t.throws(() => new FileRevocations({ directory: 'x', lockTimeout: 1 } as never), {
    code: 'ERR_SESSION_OPTION_UNKNOWN',
    message: /of FileRevocations\. Known are directory, clock\.$/
  })
  if (process.platform === 'win32') return
  const directory = newDirectory()
  chmodSync(directory, 0o755)
  t.throws(() => new FileRevocations({ directory }), INVALID)
  t.same(readdirSync(directory), [])
})
