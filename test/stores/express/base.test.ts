import { EventEmitter } from 'node:events'
import { inherits } from 'node:util'
import t from 'tap'
import type { StoreConstructor } from '../../../lib/stores/express/base.ts'
import { Store } from '../../../lib/stores/express/base.ts'

/** The stores below as their packages make them: from an object with a `Store`. */
interface Express {
  Store: StoreConstructor
}

t.test('a class extends it', async (t) => {
  const make = ({ Store }: Express) =>
    class ClassStore extends Store {
      readonly #options: { ttl: number }

      constructor(options: { ttl: number }) {
        super(options)
        this.#options = options
      }

      get ttl(): number {
        return this.#options.ttl
      }
    }
  const ClassStore = make({ Store })
  const store = new ClassStore({ ttl: 5 })
  t.equal(store.ttl, 5)
  t.ok(store instanceof Store)
  t.ok(store instanceof EventEmitter)
  t.equal(Object.getPrototypeOf(ClassStore), Store)
})

t.test('a constructor from before there were classes calls it', async (t) => {
  interface OldStore extends Store {
    ttl: number
  }
  const ways: Record<string, (made: { prototype: object }) => void> = {
    inherits: (made) => inherits(made, Store),
    __proto__: (made) => Object.setPrototypeOf(made.prototype, Store.prototype)
  }
  for (const [way, inherit] of Object.entries(ways)) {
    const OldStore = function (this: OldStore, options: { ttl: number }): void {
      Store.call(this, options)
      this.ttl = options.ttl
    } as unknown as new (options: {
      ttl: number
    }) => OldStore
    inherit(OldStore)
    const store = new OldStore({ ttl: 5 })
    t.equal(store.ttl, 5, way)
    t.ok(store instanceof Store, way)
    t.ok(store instanceof EventEmitter, way)
    t.ok(Object.hasOwn(store, '_events'), `${way}: listeners belong to the object, not to all stores`)
    const heard: unknown[] = []
    store.on('disconnect', (reason) => heard.push(reason))
    t.equal(store.emit('disconnect', 'gone'), true)
    t.same(heard, ['gone'], way)
  }
})

t.test('stores do not hear each other', async (t) => {
  const [one, other] = [new Store(), new Store()]
  one.on('connect', () => t.fail('not meant for this one'))
  t.equal(other.emit('connect'), false)
})

t.test('options of a store are not those of an emitter', async (t) => {
  const store = new Store({ captureRejections: 'no boolean, which an EventEmitter refuses' })
  t.equal(store.listenerCount('error'), 0)
})

t.test('it goes by its name', async (t) => {
  t.equal(Store.name, 'Store')
  t.equal(new Store().constructor, Store)
})
