import { randomBytes } from 'node:crypto'
import { rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FILE_MODE } from './disk.ts'
import type { Holder } from './sighting.ts'
import type { ThreadIdentity } from './thread-identity.ts'

/** A file that identifies a `FileLocks`. Its locks are hard links to it. */
export interface Ticket {
  readonly holder: Holder
  readonly path: string
  readonly inode: bigint
}

/** The ticket of one `FileLocks`, which is made when it is first needed. */
export class OwnTicket {
  readonly #directory: string
  readonly #identify: () => Promise<ThreadIdentity>
  #ticket: Promise<Ticket> | undefined

  constructor(directory: string, identify: () => Promise<ThreadIdentity>) {
    this.#directory = directory
    this.#identify = identify
  }

  /** Returns the ticket. After a failure, the next call tries again. */
  get(): Promise<Ticket> {
    if (this.#ticket === undefined) {
      const ticket = this.#make()
      ticket.catch(() => this.forget())
      this.#ticket = ticket
    }
    return this.#ticket
  }

  /** The next call of `get` makes another one, for example because the file has gone. */
  forget(): void {
    this.#ticket = undefined
  }

  /** Removes the file. */
  async remove(): Promise<void> {
    const ticket = this.#ticket
    this.forget()
    if (ticket !== undefined) await rm((await ticket).path, { force: true })
  }

  async #make(): Promise<Ticket> {
    const holder = { token: randomBytes(16).toString('hex'), ...(await this.#identify()) }
    const path = join(this.#directory, holder.token)
    try {
      await writeFile(path, `${JSON.stringify(holder)}\n`, { flag: 'wx', mode: FILE_MODE })
      return { holder, path, inode: (await stat(path, { bigint: true })).ino }
    } catch (error) {
      await rm(path, { force: true }).catch(() => {})
      throw error
    }
  }
}
