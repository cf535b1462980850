import { pathToFileURL } from 'node:url'
import type * as DeviceBound from '../../../dist/lib/device-bound/index.js'
import type * as Library from '../../../dist/lib/index.js'
import type * as RedisStores from '../../../dist/lib/stores/redis/index.js'

/** The built package: of this checkout, or of the folder `BENCH_LIBRARY`. */
const root: URL = pathToFileURL(`${process.env.BENCH_LIBRARY ?? new URL('../../../dist', import.meta.url).pathname}/`)

export function importLibrary(): Promise<typeof Library> {
  return import(new URL('lib/index.js', root).href)
}

export function importRedisStores(): Promise<typeof RedisStores> {
  return import(new URL('lib/stores/redis/index.js', root).href)
}

export function importDeviceBound(): Promise<typeof DeviceBound> {
  return import(new URL('lib/device-bound/index.js', root).href)
}

type Internals = typeof import('../../../dist/lib/cookie/serializer.js') &
  typeof import('../../../dist/lib/crypto/keys.js') &
  typeof import('../../../dist/lib/device-bound/short-cookie.js') &
  typeof import('../../../dist/lib/format/proof.js') &
  typeof import('../../../dist/lib/request/get-session.js') &
  typeof import('../../../dist/lib/request/session.js')

const INTERNALS = [
  'cookie/serializer',
  'crypto/keys',
  'device-bound/short-cookie',
  'format/proof',
  'request/get-session',
  'request/session'
]

/** What binds a session without a browser. */
export async function importInternals(): Promise<Internals> {
  const modules = await Promise.all(INTERNALS.map((name) => import(new URL(`lib/${name}.js`, root).href)))
  return Object.assign({}, ...modules)
}
