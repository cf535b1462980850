import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { prepareDirectories } from '../../../lib/stores/file/directories.ts'
import { Disk } from '../../../lib/stores/file/disk.ts'
import type { HeldLock } from '../../../lib/stores/file/lock.ts'
import { lockDirectories } from '../../../lib/stores/file/lock.ts'
import { encodeRevocation } from '../../../lib/stores/file/revocation-line.ts'
import type { LogPage } from '../../../lib/stores/file/revocation-log.ts'
import { RevocationLog, START } from '../../../lib/stores/file/revocation-log.ts'
import type { Revocation } from '../../../types/revocations.ts'

const HELD: HeldLock = { assertMayWrite: async () => {} }

function newLog(): { log: RevocationLog; directory: string; path: string } {
  const directory = mkdtempSync(join(tmpdir(), 'session-log-'))
  prepareDirectories(directory, lockDirectories(directory))
  return { log: new RevocationLog(directory, new Disk(true)), directory, path: join(directory, 'revocations.log') }
}

const session = (id: string): Revocation => ({ kind: 'session', id, until: 1 })

async function* texts(...some: Revocation[]): AsyncGenerator<string> {
  for (const entry of some) yield encodeRevocation(entry)
}

function idsOf(page: LogPage | undefined): unknown[] {
  return page?.entries.map(({ entry }) => (entry as { id?: string }).id) ?? []
}

t.test('before there is a file there is nothing, but the directory is', async (t) => {
  const { log, directory } = newLog()
  t.equal(await log.read(START), undefined)
  t.equal(await log.read('unknown 7'), undefined)
  await t.rejects(log.append('x\n'), { code: 'ENOENT' })
  t.notOk(readdirSync(directory).includes('revocations.log'), 'nobody makes one without a head')
  renameSync(join(directory, 'locks'), join(directory, 'away'))
  await t.rejects(log.read(START), { code: 'ENOENT' }, 'the disk is not mounted')
})

t.test('what is added comes after the position of before', async (t) => {
  const { log, path } = newLog()
  await log.replace(texts(), HELD)
  const empty = await log.read(START)
  t.match(empty, { after: START, entries: [], position: START, hasMore: false, isTorn: false })
  await log.append(encodeRevocation(session('a')))
  const first = await log.read(empty?.position ?? '')
  t.same(idsOf(first), ['a'])
  await log.append(encodeRevocation(session('ä')) + encodeRevocation(session('c')))
  const second = await log.read(first?.position ?? '')
  t.same(idsOf(second), ['ä', 'c'])
  t.equal(second?.after, first?.position)
  t.equal(second?.size, statSync(path).size)
  t.same(idsOf(await log.read(second?.position ?? '')), [])
  t.same(idsOf(await log.read(`${second?.epoch} ${second?.entries[1]?.at}`)), ['c'], 'each line is a position')
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.match(
    readFileSync(path, 'utf8'),
    /^fastify-typed-session revocations 1 [A-Za-z0-9_-]{12}\n\{"kind":"session","id":"a","until":1\}\n/
  )
})

t.test('a position that is not of this file leads to its start', async (t) => {
  const { log } = newLog()
  await log.replace(texts(session('a')), HELD)
  const { epoch = '', position = '', size = 0 } = (await log.read(START)) ?? {}
  for (const unknown of ['', 'x', `${epoch}`, `${epoch} x`, `${epoch} 0`, `${epoch} ${size + 1}`, `other ${size}`]) {
    const page = await log.read(unknown)
    t.same(idsOf(page), ['a'], unknown)
    t.equal(page?.after, START)
  }
  await log.replace(texts(session('b')), HELD)
  const page = await log.read(position)
  t.same(idsOf(page), ['b'], 'of the same length')
  t.not(page?.epoch, epoch)
})

t.test('a line that is torn or foreign is left out', async (t) => {
  const { log, path } = newLog()
  await log.replace(texts(session('a')), HELD)
  const line = encodeRevocation(session('b'))
  appendFileSync(path, line.slice(0, 9))
  const torn = await log.read(START)
  t.same(idsOf(torn), ['a'])
  t.match(torn, { isTorn: true, hasMore: false })
  appendFileSync(path, `\n\n\0\0\0\n{"kind":"sess\xff\n${line}`)
  const page = await log.read(torn?.position ?? '')
  t.same(idsOf(page), ['b'])
  t.match(page, { isTorn: false, hasMore: false })
})

t.test('a long file comes in parts, and a long line whole', async (t) => {
  const { log, path } = newLog()
  const long: Revocation = { kind: 'owner', id: 'ö'.repeat(200_000), before: 1, except: [], until: 1 }
  const all = [...Array.from({ length: 5000 }, (_, index) => session(String(index))), long, session('last')]
  await log.replace(texts(...all), HELD)
  const read = async (): Promise<Revocation[][]> => {
    const pages: Revocation[][] = []
    for (let position = START, hasMore = true; hasMore; ) {
      const page = (await log.read(position)) as LogPage
      pages.push(page.entries.map(({ entry }) => entry))
      ;({ position, hasMore } = page)
    }
    return pages
  }
  const pages = await read()
  t.ok(pages.length > 2)
  t.same(pages.flat(), all)
  truncateSync(path, statSync(path).size - 100)
  t.same((await read()).flat(), all.slice(0, -2), 'a long part of a line is no line')
})

t.test('a file of something else, or of a newer version, is an error that says what to do', async (t) => {
  const { log, path } = newLog()
  for (const [text, found] of [
    ['', 'is not one, or it is damaged'],
    ['{"kind":"session","id":"secret","until":1}\n'.repeat(3), 'is not one, or it is damaged'],
    ['fastify-typed-session revocations 2 aaaaaaaaaaaa\n', 'has format version 2; this version reads 1']
  ] as const) {
    writeFileSync(path, text)
    await t.rejects(log.read(START), {
      message: `The FileRevocations cannot read its list: the file revocations.log ${found}. Restore the file. To begin a new list, remove it.`
    })
  }
  rmSync(path)
  t.equal(await log.read(START), undefined)
})

t.test('whoever has lost the lock replaces nothing, and what they leave is in nobody’s way', async (t) => {
  const { log, path, directory } = newLog()
  await log.replace(texts(session('a')), HELD)
  const lost: HeldLock = {
    assertMayWrite: async () => {
      throw new Error('lost')
    }
  }
  await t.rejects(log.replace(texts(session('b')), lost), { message: 'lost' })
  t.same(idsOf(await log.read(START)), ['a'])
  t.match(readFileSync(`${path}.new`, 'utf8'), /"b"/)
  await log.replace(texts(session('c')), HELD)
  t.same(idsOf(await log.read(START)), ['c'])
  t.same(readdirSync(directory).sort(), ['locks', 'processes', 'revocations.log'])
})
