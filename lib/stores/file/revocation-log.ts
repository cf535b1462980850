import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Revocation } from '../../../types/revocations.ts'
import { RandomPool } from '../../crypto/random.ts'
import type { Disk } from './disk.ts'
import { unlessMissing } from './disk.ts'
import type { HeldLock } from './lock.ts'
import { lockDirectories } from './lock.ts'
import { decodeRevocation } from './revocation-line.ts'

const NAME = 'revocations.log'
const EPOCH_BYTES = 9
const HEAD = /^fastify-typed-session revocations (\d{1,3}) (\S{12})\n$/
const HEAD_BYTES = writeHead('x'.repeat(12)).length
/** How many bytes are read at once, if lines are not longer. */
const PAGE = 131_072
const LINE_BREAK = 0x0a
/** To the end, in one step, and never to a file that somebody has removed. */
const APPEND = constants.O_WRONLY | constants.O_APPEND

/** A position before every other one. */
export const START = '- 0'

/** An entry, and the byte at which its line begins. */
interface LogEntry {
  readonly entry: Revocation
  readonly at: number
}

/** What comes after a position, or the first part of it: the entries of whole lines. */
export interface LogPage {
  /** Which file it is. Another one that takes its place has another epoch, also if the system gives it the same inode. */
  readonly epoch: string
  /** The position that it comes after: `START` if the one that was asked for is not known. */
  readonly after: string
  readonly entries: readonly LogEntry[]
  readonly position: string
  readonly hasMore: boolean
  /** Whether the file ends with a part of a line: somebody who wrote it was stopped. */
  readonly isTorn: boolean
  /** That of the file, in bytes. */
  readonly size: number
}

/** A file of lines that only grows, until another one takes its place. The first line names the format and the epoch. */
export class RevocationLog {
  readonly #path: string
  readonly #directory: string
  readonly #disk: Disk
  readonly #random: RandomPool = new RandomPool()

  constructor(directory: string, disk: Disk) {
    this.#directory = directory
    this.#path = join(directory, NAME)
    this.#disk = disk
  }

  /** Reads what comes after a position, from the start if it is that of another file. Returns undefined if there is no file yet. */
  async read(position: string): Promise<LogPage | undefined> {
    const handle = await unlessMissing(open(this.#path))
    if (handle === undefined) {
      // Throws if the disk is not mounted.
      for (const directory of lockDirectories(this.#directory)) await stat(directory)
      return undefined
    }
    try {
      return await readPage(handle, position)
    } finally {
      await handle.close()
    }
  }

  /** Adds text to the end, on the disk. Throws `ENOENT` if there is no file. */
  async append(text: string): Promise<void> {
    const handle = await open(this.#path, APPEND)
    try {
      await handle.appendFile(text)
      await handle.datasync()
    } finally {
      await handle.close()
    }
  }

  /** Puts a new file in the place of the present one, or of none. `lock`: that of the list. */
  async replace(texts: AsyncIterable<string>, lock: HeldLock): Promise<void> {
    const head = writeHead(this.#random.text(EPOCH_BYTES))
    const path = `${this.#path}.new`
    // Somebody who was stopped may have left it, or may go on to write to it.
    await rm(path, { force: true })
    await this.#disk.write(path, prepend(head, texts))
    await lock.assertMayWrite()
    await rename(path, this.#path)
    await this.#disk.sync(this.#directory)
  }
}

function writeHead(epoch: string): string {
  return `fastify-typed-session revocations 1 ${epoch}\n`
}

async function* prepend(first: string, others: AsyncIterable<string>): AsyncGenerator<string> {
  yield first
  yield* others
}

async function readPage(handle: FileHandle, position: string): Promise<LogPage> {
  const { size } = await handle.stat()
  const epoch = epochOf(await readAt(handle, 0, HEAD_BYTES))
  const positionOf = (at: number): string => (at === HEAD_BYTES ? START : `${epoch} ${at}`)
  const [known, offset] = position.split(' ')
  const isKnown = known === epoch && Number(offset) >= HEAD_BYTES && Number(offset) <= size
  const from = isKnown ? Number(offset) : HEAD_BYTES
  const { bytes, isAll } = await readLines(handle, from, size)
  const end = from + bytes.length
  return {
    epoch,
    after: positionOf(from),
    entries: readEntries(bytes, from),
    position: positionOf(end),
    hasMore: !isAll,
    isTorn: isAll && end < size,
    size
  }
}

function epochOf(head: Buffer): string {
  const [, version, epoch] = HEAD.exec(head.toString('latin1')) ?? []
  if (version === '1' && epoch !== undefined) return epoch
  const found =
    version === undefined ? 'is not one, or it is damaged' : `has format version ${version}; this version reads 1`
  throw new Error(
    `The FileRevocations cannot read its list: the file ${NAME} ${found}. Restore the file. To begin a new list, remove it.`
  )
}

/** Reads a page of whole lines. `isAll`: whether there are no more. */
async function readLines(handle: FileHandle, from: number, size: number): Promise<{ bytes: Buffer; isAll: boolean }> {
  let bytes: Buffer
  let end: number
  let length = PAGE / 2
  do {
    // A line can be longer than a page.
    length *= 2
    bytes = await readAt(handle, from, Math.min(length, size - from))
    end = bytes.lastIndexOf(LINE_BREAK) + 1
  } while (end === 0 && bytes.length === length)
  return { bytes: bytes.subarray(0, end), isAll: bytes.length < length }
}

async function readAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, at)
  return buffer.subarray(0, bytesRead)
}

/** Leaves out lines that are no entries. */
function readEntries(lines: Buffer, from: number): LogEntry[] {
  const entries: LogEntry[] = []
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf(LINE_BREAK, start)
    const entry = decodeRevocation(lines.toString('utf8', start, end))
    if (entry !== undefined) entries.push({ entry, at: from + start })
    start = end + 1
  }
  return entries
}
