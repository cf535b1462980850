import type { StoreCall } from '../../../types/store.ts'
import { PATIENCE } from '../patience.ts'
import type { Link } from './links.ts'
import { openerOf } from './links.ts'
import { CONFIRM } from './record-scripts.ts'

/** A connection that answers so much later than it was told to is given up. */
const GRACE_MILLISECONDS = 500

/**
 * Waits until replicas have what has ended, so that a failover does not bring it back.
 *
 * `WAIT` blocks its connection and counts what this connection has written. Therefore it gets a connection of its own, and a
 * write of its own, which ends the record once more if need be. Redis replicates in order: a replica that has the second write
 * has the end. If a failover has undone the end meanwhile, the second write ends the record on the new master.
 */
export class Replicas {
  readonly #count: number
  readonly #nodeOf: (name: string) => string
  readonly #open: (node: string) => Promise<Link>
  readonly #links: Map<string, Promise<Link>> = new Map()

  /** `nodeOf`: names the node of a key. Throws an `InvalidOptionError` for a client that cannot wait. */
  constructor(client: object, count: number, nodeOf: (name: string) => string) {
    this.#count = count
    this.#nodeOf = nodeOf
    this.#open = openerOf(client)
  }

  /**
   * Rejects unless enough replicas have the ends of records before the deadline. `owner`: whose records they are, or '' for any.
   */
  async confirm(names: readonly string[], owner: string, call: StoreCall | undefined): Promise<void> {
    const byNode = new Map<string, string[]>()
    for (const name of names) {
      const node = this.#nodeOf(name)
      byNode.set(node, [...(byNode.get(node) ?? []), name])
    }
    await Promise.all([...byNode].map(([node, names]) => this.#confirmOn(node, names, owner, call)))
  }

  async close(): Promise<void> {
    const links = [...this.#links.values()]
    this.#links.clear()
    for (const link of await Promise.allSettled(links)) if (link.status === 'fulfilled') link.value.close()
  }

  async #confirmOn(node: string, names: readonly string[], owner: string, call: StoreCall | undefined): Promise<void> {
    const link = await this.#linkTo(node)
    const left = (call?.deadline ?? Number.POSITIVE_INFINITY) - performance.now()
    // For 0, Redis would wait for ever.
    const milliseconds = Math.max(1, Math.floor(Number.isFinite(left) ? left : PATIENCE))
    const timer = setTimeout(() => link.close(), milliseconds + GRACE_MILLISECONDS)
    let confirmed: number
    try {
      confirmed = await link.confirm(CONFIRM.source, names, owner, this.#count, milliseconds)
    } finally {
      clearTimeout(timer)
    }
    if (confirmed >= this.#count) return
    throw new Error(
      `The session has ended, but ${confirmed} of ${this.#count} replicas know it in time (waitForReplicas). A failover may bring it back.`
    )
  }

  async #linkTo(node: string): Promise<Link> {
    const known = this.#links.get(node)
    const link = await known?.catch(() => undefined)
    if (link?.isOpen()) return link
    // Somebody else has opened one meanwhile.
    if (known !== this.#links.get(node)) return this.#linkTo(node)
    const opened = this.#open(node)
    this.#links.set(node, opened)
    return opened
  }
}
