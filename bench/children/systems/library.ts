import { pathToFileURL } from 'node:url'
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
