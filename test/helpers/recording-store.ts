import type {
  CommitResult,
  CreateResult,
  MaybePromise,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  SessionStore,
  StoreCall,
  StoredRecord
} from '../../types/store.ts'

export type StoreMethod = Exclude<keyof SessionStore, 'close' | 'publish' | 'listen'>

/** A store that records its calls, and can delay or fail them. */
export class RecordingStore implements SessionStore {
  /** The wrapped store. Direct calls of it are not recorded. */
  readonly inner: SessionStore
  /** Runs before each call reaches the wrapped store. It may wait or throw. */
  before: (method: StoreMethod, parameters: readonly unknown[]) => unknown = () => undefined
  /** Runs after each call that reached the wrapped store. If it throws, the caller does not get the answer. */
  after: (method: StoreMethod, parameters: readonly unknown[]) => unknown = () => undefined
  closed = 0
  #calls: [method: StoreMethod, ...parameters: unknown[]][] = []

  constructor(inner: SessionStore) {
    this.inner = inner
  }

  /** Returns the calls since the last `takeCalls()` or `takeMethods()`. */
  takeCalls(): [method: StoreMethod, ...parameters: unknown[]][] {
    const calls = this.#calls
    this.#calls = []
    return calls
  }

  /** Returns the methods of these calls. */
  takeMethods(): StoreMethod[] {
    return this.takeCalls().map(([method]) => method)
  }

  create(
    key: string,
    record: SessionRecord,
    expiresAt: number,
    limit?: OwnerLimit,
    call?: StoreCall
  ): Promise<CreateResult> {
    return this.#call('create', [key, record, expiresAt, limit], () =>
      this.inner.create(key, record, expiresAt, limit, call)
    )
  }

  load(key: string): Promise<StoredRecord | undefined> {
    return this.#call('load', [key], () => this.inner.load(key))
  }

  commit(key: string, changes: SessionChanges, expiresAt: number, version?: number): Promise<CommitResult> {
    return this.#call('commit', [key, changes, expiresAt, version], () =>
      this.inner.commit(key, changes, expiresAt, version)
    )
  }

  touch(key: string, expiresAt: number, lastSeenAt?: number): Promise<boolean> {
    return this.#call('touch', [key, expiresAt, lastSeenAt], () => this.inner.touch(key, expiresAt, lastSeenAt))
  }

  destroy(key: string): Promise<void> {
    return this.#call('destroy', [key], () => this.inner.destroy(key))
  }

  list(ownerId: string): Promise<StoredRecord[]> {
    return this.#call('list', [ownerId], () => this.inner.list(ownerId))
  }

  destroyAll(ownerId: string, exceptKey?: string): Promise<number> {
    return this.#call('destroyAll', [ownerId, exceptKey], () => this.inner.destroyAll(ownerId, exceptKey))
  }

  async publish(message: string): Promise<void> {
    await this.inner.publish?.(message)
  }

  async listen(onMessage: (message: string) => void, onLost: () => void): Promise<() => MaybePromise<void>> {
    return this.inner.listen?.(onMessage, onLost) ?? (() => {})
  }

  async close(): Promise<void> {
    this.closed++
    await this.inner.close?.()
  }

  async #call<T>(method: StoreMethod, parameters: unknown[], run: () => MaybePromise<T>): Promise<T> {
    this.#calls.push([method, ...parameters])
    await this.before(method, parameters)
    const answer = await run()
    await this.after(method, parameters)
    return answer
  }
}

/** Returns a `before` that runs `run` once, at the first call of `method`. */
export function once(method: StoreMethod, run: () => unknown): RecordingStore['before'] {
  let hasRun = false
  return (called) => {
    if (called !== method || hasRun) return undefined
    hasRun = true
    return run()
  }
}
