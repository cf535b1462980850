import type { StoreCall } from '../../../types/store.ts'
import { RandomPool } from '../../crypto/random.ts'
import { TooLateError } from '../deadline.ts'
import { ServerClock } from '../server-clock.ts'
import type { RedisCommands, Script } from './client.ts'
import { CommandNumbers } from './command-numbers.ts'
import { LATE, TIME } from './lua.ts'

/**
 * Runs the scripts that write. Each command has a mark, by which Redis recognizes one that the client sends again, and the time
 * after which Redis must not apply it.
 */
export class ScriptWriter {
  readonly #commands: RedisCommands
  readonly #serverClock: ServerClock = new ServerClock()
  readonly #numbers: CommandNumbers = new CommandNumbers()
  readonly #name: string = new RandomPool().text(6)

  constructor(commands: RedisCommands) {
    this.#commands = commands
  }

  /**
   * Runs a script on one key. Without a call there is no time after which Redis refuses the command. Throws a `TooLateError` if
   * Redis has not applied it in time.
   */
  async run(script: Script, name: string, values: readonly string[], call: StoreCall | undefined): Promise<string[]> {
    const number = this.#numbers.begin()
    const [time = '', ...rest] = values
    const send = async (): Promise<string[]> => {
      const limit = await this.#limitOf(name, call)
      return this.#ask(script, name, [time, this.#name, String(number), String(this.#numbers.lowest()), limit, ...rest])
    }
    try {
      let answer = await send()
      // The clock of Redis may have been set, or a failover has led to another one. The answer tells the time by which the second
      // attempt is judged; if that is over, the attempt is not made.
      if (answer[0] === LATE) answer = await send()
      if (answer[0] === LATE) throw tooLate()
      this.#numbers.settle(number)
      return answer
    } catch (error) {
      this.#numbers.fail(number)
      throw error
    }
  }

  /** Returns the time by the server's clock after which the command must not be applied; empty if there is none. */
  async #limitOf(name: string, call: StoreCall | undefined): Promise<string> {
    if (call === undefined) return ''
    if (this.#serverClock.toServerTime(0) === undefined) await this.#ask(TIME, name, [])
    const { deadline } = call
    if (performance.now() > deadline) throw tooLate()
    // Time that does not count has no end.
    return Number.isFinite(deadline) ? String(this.#serverClock.toServerTime(deadline)) : ''
  }

  /** Runs a script whose reply begins with the server's time. */
  async #ask(script: Script, name: string, values: readonly string[]): Promise<string[]> {
    const sentAt = performance.now()
    const [serverTime, ...answer] = await this.#commands.run(script, name, values)
    this.#serverClock.note(sentAt, Number(serverTime))
    return answer
  }
}

function tooLate(): TooLateError {
  return new TooLateError('The time for this change is over. Redis has not applied it.')
}
