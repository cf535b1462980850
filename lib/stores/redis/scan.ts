import { cursorError } from '../../errors.ts'
import { NAME } from './channel-scripts.ts'
import type { RedisCommands } from './commands.ts'
import type { KeyNames } from './key-names.ts'
import { SLOTS, slotOf } from './node-of.ts'
import { SCAN } from './scan-scripts.ts'

/** How many names Redis looks at for each command, and how many commands make one step at most. */
const MOST_NAMES = 1000
const MOST_COMMANDS = 50

const KEY = /^[A-Za-z0-9_-]{43}$/
/** Between the cursor of `SCAN` and the node that gave it; not in the address of a node. */
const MARK = '@'
const ALONE: ReadonlyMap<string, string> = new Map([['', '']])

/** One step: the keys of records, live or not, each once. */
interface Found {
  readonly keys: readonly string[]
  readonly next: string | undefined
}

/** Goes through the keys of all records by `SCAN`: on one server, or on each node of a cluster in turn. */
export class Scan {
  readonly #commands: RedisCommands
  readonly #names: KeyNames
  readonly #isCluster: boolean
  /** For each slot a tag in it. */
  #tags: readonly string[] | undefined
  /** What `#nodes` returns. */
  #known: ReadonlyMap<string, string> = new Map()

  constructor(commands: RedisCommands, names: KeyNames, isCluster: boolean) {
    this.#commands = commands
    this.#names = names
    this.#isCluster = isCluster
  }

  /**
   * Returns about as many keys as wanted. `cursor`: the `next` of the step before. Throws `ERR_SESSION_VALUE` for a cursor that leads
   * nowhere, for example because the nodes of the cluster have changed.
   */
  async step(cursor: string | undefined, wanted: number): Promise<Found> {
    const nodes = await this.#nodes(cursor === undefined)
    const addresses = [...nodes.keys()].sort()
    let [position, address] = cursor === undefined ? ['0', addresses[0] as string] : split(cursor)
    const keys = new Set<string>()
    let count = wanted
    for (let command = 1; command <= MOST_COMMANDS && keys.size < wanted; command++) {
      const tag = nodes.get(address)
      if (tag === undefined) throw cursorError()
      const [next = '0', ...names] = await this.#scan(tag, position, count)
      for (const name of names) if (KEY.test(name)) keys.add(name)
      if (next === '0') {
        const following = addresses[addresses.indexOf(address) + 1]
        if (following === undefined) return { keys: [...keys], next: undefined }
        address = following
      }
      position = next
      // The names of one server are in no order, so that where few are records few will be.
      count = Math.min(count * 2, MOST_NAMES)
    }
    return { keys: [...keys], next: `${position}${MARK}${address}` }
  }

  #scan(tag: string, position: string, count: number): Promise<string[]> {
    return this.#commands.run(SCAN, this.#names.ofTag(tag), [String(tag.length), position, String(count)])
  }

  /**
   * Returns a tag of each node that may have records, by the address of the node. Without a cluster there is one, whose address is
   * empty. `isFirst`: whether nodes that have joined are to be noticed.
   */
  async #nodes(isFirst: boolean): Promise<ReadonlyMap<string, string>> {
    if (!this.#isCluster) return ALONE
    await this.#commands.learnNodes?.()
    if (isFirst || [...this.#known].some(([address, tag]) => this.#nodeOf(tag) !== address)) this.#known = this.#look()
    if (!this.#known.has('')) return this.#known
    // A client that has not sent anything yet knows no nodes.
    await this.#commands.run(NAME, this.#names.ofTag(''), [])
    this.#known = this.#look()
    if (this.#known.has('')) throw new Error('The client does not know all nodes of the cluster.')
    return this.#known
  }

  #look(): ReadonlyMap<string, string> {
    this.#tags ??= tagsOfSlots()
    return new Map(this.#tags.map((tag) => [this.#nodeOf(tag), tag]))
  }

  #nodeOf(tag: string): string {
    return this.#commands.nodeOf(this.#names.ofTag(tag))
  }
}

function split(cursor: string): [position: string, address: string] {
  const at = cursor.indexOf(MARK)
  const position = cursor.slice(0, at)
  if (!/^\d{1,20}$/.test(position)) throw cursorError()
  return [position, cursor.slice(at + 1)]
}

function tagsOfSlots(): string[] {
  const tags = new Map<number, string>()
  for (let number = 0; tags.size < SLOTS; number++) {
    const tag = `{${number}}`
    tags.set(slotOf(tag), tag)
  }
  return [...tags.values()]
}
