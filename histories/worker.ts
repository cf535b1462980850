// An application process: `node worker.ts <settings as JSON>`. It sends its port to its parent, and answers each command when it has
// carried it out.
import type { AddressInfo } from 'node:net'
import { createApplication } from './application.ts'
import type { Place } from './open-store.ts'
import { openStore } from './open-store.ts'

export interface WorkerSettings {
  readonly place: Place
  readonly secret: string
  readonly storeTimeout: number
  readonly maxPerOwner: number
}

export type Command =
  /** Blocks the event loop, for milliseconds. */
  | { readonly kind: 'stall'; readonly milliseconds: number }
  /** Sets how far the clock is ahead, in milliseconds. */
  | { readonly kind: 'skew'; readonly milliseconds: number }

const systemNow = Date.now
let skew = 0
Date.now = () => systemNow() + skew

const { place, ...settings }: WorkerSettings = JSON.parse(process.argv[2] ?? '')
const app = await createApplication({ ...settings, store: await openStore(place) })
await app.listen({ port: 0, host: '127.0.0.1' })

process.on('message', ({ kind, milliseconds }: Command) => {
  if (kind === 'skew') skew = milliseconds
  else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
  process.send?.('done')
})
// The parent process has ended.
process.on('disconnect', () => process.exit())
process.send?.((app.server.address() as AddressInfo).port)
