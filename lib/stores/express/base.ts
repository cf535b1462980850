import { EventEmitter } from 'node:events'

/** What `Store` makes: an `EventEmitter` and no more. */
export type Store = EventEmitter

/** A class that may also be called without `new`, on an object that exists already. */
export interface StoreConstructor {
  new (options?: unknown): Store
  (this: Store, options?: unknown): void
  readonly prototype: Store
}

/**
 * What packages with a store for express-session extend, so that they work without express-session. They ask for an object
 * that has it: `{ Store }`, or all that this module exports. `class extends Store` works, and `Store.call(this)` of those
 * written before there were classes, which is why it is no class itself.
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
// The cast: TypeScript knows no function that is a constructor as well.
export const Store: StoreConstructor = function Store(this: Store): void {
  EventEmitter.call(this)
} as unknown as StoreConstructor

Object.setPrototypeOf(Store.prototype, EventEmitter.prototype)
Object.setPrototypeOf(Store, EventEmitter)
