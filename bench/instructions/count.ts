import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { RouteName, Setting, SystemName } from '../children/setting.ts'
import { ROUTES } from '../children/setting.ts'
import { readDump, readPerfMap } from './callgrind.ts'

const run = promisify(execFile)
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const COUNTED_REQUESTS = 1000

/** The same work in the same order: no threads, nothing random, and a new space that takes all that a slice allocates. */
const REPEATABLE = [
  ...['--single-threaded', '--predictable', '--hash-seed=1', '--random-seed=1'],
  ...['--expose-gc', '--no-incremental-marking', '--initial-heap-size=1024'],
  ...['--min-semi-space-size=128', '--max-semi-space-size=128']
]

/** Per request. */
interface Count {
  /** Without what stands apart. */
  readonly instructions: number
  readonly sha: number
  readonly compiler: number
  readonly garbage: number
  /** Bytes of V8's heap. */
  readonly allocated: number
  /** Instructions by function, also of those apart. */
  readonly functions: ReadonlyMap<string, number>
}

export type Counts = ReadonlyMap<SystemName, ReadonlyMap<RouteName, Count>>

/** Counts the instructions of systems, `jobs` of them at once: the figures do not depend on it. */
export async function countSystems(
  systems: readonly SystemName[],
  setting: Setting,
  jobs: number = availableParallelism()
): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), 'instructions-'))
  try {
    const addon = await compileAddon(folder)
    const counts = new Map<SystemName, ReadonlyMap<RouteName, Count>>()
    const waiting = [...systems]
    const work = async (): Promise<void> => {
      for (let system = waiting.shift(); system !== undefined; system = waiting.shift()) {
        counts.set(system, await countSystem(system, setting, addon, folder))
      }
    }
    await Promise.all(Array.from({ length: jobs }, work))
    return counts
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Compiles the addon that switches the counting on and off. Returns its file. */
async function compileAddon(folder: string): Promise<string> {
  const file = join(folder, 'counter.node')
  const headers = here('../node_modules/node-api-headers/include')
  await run('cc', ['-shared', '-fPIC', '-O2', '-I', headers, here('addon.c'), '-o', file])
  return file
}

async function countSystem(
  system: SystemName,
  setting: Setting,
  addon: string,
  folder: string
): Promise<Map<RouteName, Count>> {
  const dump = join(folder, system)
  const callgrind = ['--tool=callgrind', '--instr-atstart=no', '--dump-instr=yes', `--callgrind-out-file=${dump}`]
  const node = [process.execPath, ...REPEATABLE, '--perf-basic-prof']
  const child = [here('../dist/count.js'), system, JSON.stringify(setting), addon, String(COUNTED_REQUESTS)]
  const running = run('valgrind', [...callgrind, ...node, ...child], { cwd: folder })
  // Only newer versions of V8 write it elsewhere.
  const map = `/tmp/perf-${running.child.pid}.map`
  try {
    const allocated: Record<RouteName, number> = JSON.parse((await running).stdout)
    const nameOf = readPerfMap(await readFile(map, 'utf8'))
    // The dumps are numbered from 1, in the order of the routes. All are counted, because each warms up the next.
    const dumps = ROUTES.map(async (route, index): Promise<[RouteName, Count]> => {
      const profile = readDump(await readFile(`${dump}.${index + 1}`, 'utf8'), nameOf)
      const perRequest = (instructions: number): number => instructions / COUNTED_REQUESTS
      const count: Count = {
        instructions: perRequest(profile.total - profile.compiler - profile.garbage - profile.sha),
        sha: perRequest(profile.sha),
        compiler: perRequest(profile.compiler),
        garbage: perRequest(profile.garbage),
        allocated: allocated[route],
        functions: new Map([...profile.functions].map(([name, instructions]) => [name, perRequest(instructions)]))
      }
      return [route, count]
    })
    return new Map(await Promise.all(dumps))
  } finally {
    await rm(map, { force: true })
  }
}
