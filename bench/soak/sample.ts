import type { EventEmitter } from 'node:events'
import { readdirSync } from 'node:fs'

/** What a process holds when it has nothing to do. Memory in bytes, after a garbage collection. */
export interface Sample {
  readonly requests: number
  readonly heap: number
  /** Memory outside of the heap, such as buffers. */
  readonly external: number
  /** All memory of the process. Not judged: V8 decides when it returns some. */
  readonly rss: number
  /** Open files and sockets. 0 where the system does not tell. */
  readonly descriptors: number
  /** Listeners of the process, of its servers and sockets, and of what else was given. */
  readonly listeners: number
  /** Sockets, servers, timers and calls of the system that keep the process alive. */
  readonly resources: number
}

const LOOKS = 3

/** Takes the least of a few looks: what goes on by itself, such as the work of a timer, comes to its end. Needs `--expose-gc`. */
export async function takeSample(requests: number, emitters: readonly EventEmitter[]): Promise<Sample> {
  const looks: Omit<Sample, 'requests'>[] = []
  for (let look = 0; look < LOOKS; look++) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    looks.push(takeLook(emitters))
  }
  const least = (measure: keyof Omit<Sample, 'requests'>): number => Math.min(...looks.map((look) => look[measure]))
  return {
    requests,
    heap: least('heap'),
    external: least('external'),
    rss: least('rss'),
    descriptors: least('descriptors'),
    listeners: least('listeners'),
    resources: least('resources')
  }
}

function takeLook(emitters: readonly EventEmitter[]): Omit<Sample, 'requests'> {
  if (globalThis.gc === undefined) throw new Error('Run with --expose-gc, to measure memory.')
  globalThis.gc()
  const { heapUsed, external, rss } = process.memoryUsage()
  return {
    heap: heapUsed,
    external,
    rss,
    descriptors: countDescriptors(),
    listeners: countListeners([process, ...emitters, ...activeEmitters()]),
    resources: process.getActiveResourcesInfo().length
  }
}

function countDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return 0
  }
}

function countListeners(emitters: readonly EventEmitter[]): number {
  return [...new Set(emitters)]
    .flatMap((emitter) => emitter.eventNames().map((name) => emitter.listenerCount(name)))
    .reduce((sum, count) => sum + count, 0)
}

/** The servers and sockets of the process. Only an undocumented function of Node.js finds them all. */
function activeEmitters(): EventEmitter[] {
  const handles = (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles()
  return handles.filter((handle) => typeof (handle as EventEmitter).eventNames === 'function') as EventEmitter[]
}
