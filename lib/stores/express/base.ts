import { EventEmitter } from 'node:events'

/** An instance of `Store`: an `EventEmitter`, with nothing added. */
export type Store = EventEmitter

/** A class that may also be called without `new`, on an existing object. */
export interface StoreConstructor {
  new (options?: unknown): Store
  (this: Store, options?: unknown): void
  readonly prototype: Store
}

/**
 * The base class that stores for express-session extend. Pass it to their packages, as `{ Store }` or with all exports of this
 * module, and they work without express-session. It supports `class extends Store` and the older `Store.call(this)`, which is
 * why it is a function and not a class.
 *
 * @example
 * ```ts
 * import sessionFileStore from 'session-file-store'
 * import { ExpressStore, Store } from 'fastify-typed-session/stores/express'
 *
 * const FileStore = sessionFileStore({ Store } as never)
 * const store = new ExpressStore({ store: new FileStore({ path: 'sessions' }) })
 * ```
 */
// The cast is needed because TypeScript has no type for a function that is also a constructor.
export const Store: StoreConstructor = function Store(this: Store): void {
  EventEmitter.call(this)
} as unknown as StoreConstructor

Object.setPrototypeOf(Store.prototype, EventEmitter.prototype)
Object.setPrototypeOf(Store, EventEmitter)
