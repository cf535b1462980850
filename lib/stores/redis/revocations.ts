import type { Revocation, RevocationList, RevocationPage } from '../../../types/revocations.ts'
import { RandomPool } from '../../crypto/random.ts'
import { assertKnown, isString, readClock, readOption } from '../../util/check.ts'
import { NAME } from './channel-scripts.ts'
import { toCommands } from './client.ts'
import type { RedisCommands } from './commands.ts'
import type { ValkeyGlideClient } from './glide.ts'
import type { IoredisClient } from './ioredis.ts'
import type { NodeRedisClient } from './node-redis.ts'
import { ADD, SINCE } from './revocation-scripts.ts'
import type { Hear } from './subscription.ts'
import { hearing } from './subscription.ts'

const MARK_BYTES = 9
const START = '- 0 -'

/** The options of a `RedisRevocations`. */
export interface RedisRevocationsOptions {
  /**
   * An open client of ioredis, iovalkey, node-redis or valkey-glide. The list neither connects nor closes it.
   *
   * @example
   * ```ts
   * import { RedisRevocations } from 'fastify-typed-session/stores/redis'
   * import { Redis } from 'ioredis'
   *
   * const revocations = new RedisRevocations({ client: new Redis('redis://localhost') })
   * ```
   */
  client: IoredisClient | NodeRedisClient | ValkeyGlideClient
  /**
   * An open client of ioredis, iovalkey or node-redis that runs no other commands, on which the list hears what is new. It stays
   * yours. Default: a connection that the list opens by `client.duplicate()`, and closes. With a client that cannot open one, such as
   * one of valkey-glide, it is required: otherwise the constructor throws `ERR_SESSION_OPTION_INVALID`.
   *
   * @example
   * ```ts
   * import { RedisRevocations } from 'fastify-typed-session/stores/redis'
   * import { Redis } from 'ioredis'
   *
   * const revocations = new RedisRevocations({ client: new Redis(), subscriber: new Redis() })
   * ```
   */
  subscriber?: object | undefined
  /**
   * The prefix of the key in Redis, which is followed by `revocations`. Default `'session:'`. Applications that share a Redis need one
   * each.
   *
   * @example
   * ```ts
   * import { RedisRevocations } from 'fastify-typed-session/stores/redis'
   * import { Redis } from 'ioredis'
   *
   * const revocations = new RedisRevocations({ client: new Redis(), prefix: 'shop:session:' })
   * ```
   */
  prefix?: string | undefined
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import { RedisRevocations } from 'fastify-typed-session/stores/redis'
   * import { Redis } from 'ioredis'
   * import { FakeClock } from 'fastify-typed-session/testing'
   *
   * const clock = new FakeClock()
   * const revocations = new RedisRevocations({ client: new Redis(), clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

/**
 * A list of what has ended early, in Redis (6.2 or later) or Valkey: one server, Sentinel or Cluster. It tells every process what is
 * new by pub/sub.
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. The methods throw the errors of the client and
 * of Redis unchanged.
 *
 * @example
 * ```ts
 * import { RedisRevocations } from 'fastify-typed-session/stores/redis'
 * import { Redis } from 'ioredis'
 *
 * const revocations = new RedisRevocations({ client: new Redis('redis://localhost') })
 * await app.register(session, { secret: process.env.SESSION_SECRET, revocations })
 * ```
 */
export class RedisRevocations implements RevocationList {
  readonly #commands: RedisCommands
  readonly #hear: Hear
  readonly #name: string
  readonly #clock: () => number
  readonly #random: RandomPool = new RandomPool()

  constructor(options: RedisRevocationsOptions) {
    assertKnown(options, ['client', 'subscriber', 'prefix', 'clock'], 'RedisRevocations')
    this.#commands = toCommands(options.client)
    this.#hear = hearing(options.client, options.subscriber)
    this.#name = `${readOption(options.prefix, 'session:', 'prefix', 'a string', isString)}revocations`
    this.#clock = readClock(options.clock)
  }

  async add(entry: Revocation): Promise<Revocation | undefined> {
    const session = entry.kind === 'session' ? encodeURIComponent(entry.id) : '-'
    const [epoch, mark] = [this.#newMark(), this.#newMark()]
    const values = [this.#now(), epoch, mark, String(entry.until), session, JSON.stringify(entry)]
    const [known] = await this.#commands.run(ADD, this.#name, values)
    return known ? JSON.parse(known) : undefined
  }

  async since(position: string = START): Promise<RevocationPage> {
    const values = [this.#now(), ...position.split(' ')]
    const [epoch, number, mark, hasMore, ...entries] = await this.#commands.run(SINCE, this.#name, values)
    return {
      entries: entries.map((entry) => JSON.parse(entry)),
      position: `${epoch} ${number} ${mark}`,
      hasMore: hasMore === '1'
    }
  }

  async listen(onEntry: (entry: Revocation) => void, onLost: () => void): Promise<() => void> {
    // The client may put a prefix of its own in front of the key.
    const [channel = ''] = await this.#commands.run(NAME, this.#name, [])
    return this.#hear(channel, (message) => onEntry(JSON.parse(String(message))), onLost)
  }

  #now(): string {
    return String(Math.floor(this.#clock() / 1000))
  }

  #newMark(): string {
    return this.#random.text(MARK_BYTES)
  }
}
