import type { StoreCall } from '../../../types/store.ts'
import { RandomPool } from '../../crypto/random.ts'
import { BoundedMap } from '../../util/bounded-map.ts'
import { TooLateError } from '../deadline.ts'
import { ServerClock } from '../server-clock.ts'
import { CommandNumbers } from './command-numbers.ts'
import type { RedisCommands, Script } from './commands.ts'
import { LATE, TIME } from './lua.ts'

const MOST_NODES = 1000

/**
 * Runs scripts. A command that writes has a mark, by which Redis recognizes it if the client sends it again, and the time after
 * which Redis must not apply it.
 */
export class ScriptRunner {
  readonly #commands: RedisCommands
  readonly #clock: () => number
  /** By node: each node of a cluster has a clock of its own. */
  readonly #serverClocks: BoundedMap<ServerClock> = new BoundedMap(MOST_NODES)
  readonly #numbers: CommandNumbers = new CommandNumbers()
  readonly #writer: string = new RandomPool().text(6)

  /** `clock`: returns milliseconds since 1970, by which records expire. */
  constructor(commands: RedisCommands, clock: () => number) {
    this.#commands = commands
    this.#clock = clock
  }

  /** Runs a script that only reads. */
  read(script: Script, name: string, ...values: readonly string[]): Promise<string[]> {
    return this.#commands.run(script, name, [this.#time(), ...values])
  }

  /**
   * Runs a script that writes. Without a call there is no time after which Redis refuses it. Throws a `TooLateError` if Redis has
   * not applied it in time.
   */
  async write(
    script: Script,
    name: string,
    values: readonly (string | number)[],
    call?: StoreCall | undefined
  ): Promise<string[]> {
    const [time, number] = [this.#time(), this.#numbers.begin(name)]
    const send = async (): Promise<string[]> => {
      const limit = await this.#limitOf(name, call)
      const head = [time, this.#writer, number, this.#numbers.lowest(name), limit]
      return this.#ask(script, name, [...head, ...values].map(String))
    }
    try {
      let answer = await send()
      // The clock of Redis may have been set, or a failover has led to another one. The answer tells the time by which the second
      // attempt is judged; if that is over, the attempt is not made.
      if (answer[0] === LATE) answer = await send()
      if (answer[0] === LATE) throw tooLate()
      this.#numbers.settle(name, number)
      return answer
    } catch (error) {
      // Redis has answered a late command, or never gets it.
      if (error instanceof TooLateError) this.#numbers.settle(name, number)
      else this.#numbers.fail(name, number, call)
      throw error
    }
  }

  /** Returns the time by the server's clock after which the command must not be applied; empty if there is none. */
  async #limitOf(name: string, call: StoreCall | undefined): Promise<string> {
    if (call === undefined) return ''
    const clock = this.#serverClockOf(name)
    if (clock.toServerTime(0) === undefined) await this.#ask(TIME, name, [])
    const { deadline } = call
    if (performance.now() > deadline) throw tooLate()
    // Time that does not count has no end.
    return Number.isFinite(deadline) ? String(clock.toServerTime(deadline)) : ''
  }

  /** Runs a script whose reply begins with the server's time. */
  async #ask(script: Script, name: string, values: readonly string[]): Promise<string[]> {
    const clock = this.#serverClockOf(name)
    const sentAt = performance.now()
    const [serverTime, ...answer] = await this.#commands.run(script, name, values)
    clock.note(sentAt, Number(serverTime))
    return answer
  }

  #serverClockOf(name: string): ServerClock {
    const node = this.#commands.nodeOf(name)
    const known = this.#serverClocks.get(node)
    if (known !== undefined) return known
    const clock = new ServerClock()
    this.#serverClocks.set(node, clock)
    return clock
  }

  #time(): string {
    return String(Math.floor(this.#clock()))
  }
}

function tooLate(): TooLateError {
  return new TooLateError('The time for this change is over. Redis has not applied it.')
}
