import type { MaybePromise } from '../../types/store.ts'

type Stop = () => MaybePromise<void>

/** Begins to listen. `onLost`: something may be missed from now on, and it is over. Returns a function that ends it. */
export type Listen<Message> = (onMessage: (message: Message) => void, onLost: () => void) => MaybePromise<Stop>

export interface ListeningEvents<Message> {
  onMessage(message: Message): void
  /** It listens from now on. What came before may have been missed. */
  onBegin(): void
  /** It has listened, and does so no longer. */
  onLost(): void
  /** It could not begin. Not told again until it could. */
  onFailure(error: unknown): void
}

interface Attempt {
  /** Undefined until it listens. */
  stop?: Stop
}

/** Listens to a source, whose connection may break: then the owner starts it again. */
export class Listening<Message> {
  readonly #listen: Listen<Message>
  readonly #events: ListeningEvents<Message>
  #attempt: Attempt | undefined
  #hasFailed = false
  #isClosed = false

  constructor(listen: Listen<Message>, events: ListeningEvents<Message>) {
    this.#listen = listen
    this.#events = events
  }

  /** Whether messages arrive. */
  get isOn(): boolean {
    return this.#attempt?.stop !== undefined
  }

  /** Begins to listen, unless it does so already, or tries. */
  start(): void {
    if (this.#attempt === undefined && !this.#isClosed) void this.#begin()
  }

  /** Gives the source up that tells nothing more, as if it had said so. */
  abandon(): void {
    const attempt = this.#attempt
    if (attempt?.stop === undefined) return
    this.#lose(attempt)
    void (async () => attempt.stop?.())().catch(() => {})
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const stop = this.#attempt?.stop
    this.#attempt = undefined
    await stop?.()
  }

  async #begin(): Promise<void> {
    const attempt: Attempt = {}
    this.#attempt = attempt
    try {
      const stop = await this.#listen(
        (message) => this.#events.onMessage(message),
        () => this.#lose(attempt)
      )
      if (this.#attempt !== attempt) return void (await stop())
      attempt.stop = stop
      this.#hasFailed = false
      this.#events.onBegin()
    } catch (error) {
      this.#lose(attempt)
      if (!this.#hasFailed && !this.#isClosed) this.#events.onFailure(error)
      this.#hasFailed = true
    }
  }

  #lose(attempt: Attempt): void {
    if (this.#attempt !== attempt) return
    this.#attempt = undefined
    if (attempt.stop !== undefined) this.#events.onLost()
  }
}
