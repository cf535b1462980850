import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { RouteName, Setting, SystemName } from '../children/setting.ts'
import { ROUTES } from '../children/setting.ts'
import type { Profile } from './callgrind.ts'
import { readDump, readPerfMap } from './callgrind.ts'

const run = promisify(execFile)
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** The same work in the same order: no threads, nothing random, and a new space that takes all that a slice allocates. */
const REPEATABLE = [
  ...['--single-threaded', '--predictable', '--hash-seed=1', '--random-seed=1'],
  ...['--expose-gc', '--no-incremental-marking', '--initial-heap-size=1024'],
  ...['--min-semi-space-size=128', '--max-semi-space-size=128']
]

export interface Count extends Profile {
  /** Bytes per request. */
  readonly allocated: number
}

/** Compiles the addon that switches the counting on and off. Returns its file. */
export async function compileAddon(folder: string): Promise<string> {
  const file = join(folder, 'counter.node')
  const headers = here('../node_modules/node-api-headers/include')
  await run('cc', ['-shared', '-fPIC', '-O2', '-I', headers, here('addon.c'), '-o', file])
  return file
}

/** Counts the instructions of `requests` requests to each route of one system. */
export async function count(
  system: SystemName,
  setting: Setting,
  requests: number,
  addon: string
): Promise<Map<RouteName, Count>> {
  const folder = await mkdtemp(join(tmpdir(), `instructions-${system}-`))
  const callgrind = [
    '--tool=callgrind',
    '--instr-atstart=no',
    '--dump-instr=yes',
    `--callgrind-out-file=${folder}/dump`
  ]
  const node = [process.execPath, ...REPEATABLE, '--perf-basic-prof']
  const child = [here('../dist/count.js'), system, JSON.stringify(setting), addon, String(requests)]
  const running = run('valgrind', [...callgrind, ...node, ...child], { cwd: folder })
  // Only newer versions of V8 write it elsewhere.
  const map = `/tmp/perf-${running.child.pid}.map`
  try {
    const { stdout } = await running
    const allocated: Record<RouteName, number> = JSON.parse(stdout)
    const nameOf = readPerfMap(await readFile(map, 'utf8'))
    // The dumps are numbered from 1, in the order of the routes. All are counted, because each warms up the next.
    const dumps = ROUTES.map(async (route, index) => {
      const text = await readFile(join(folder, `dump.${index + 1}`), 'utf8')
      return [route, { ...readDump(text, nameOf), allocated: allocated[route] }] as const
    })
    return new Map(await Promise.all(dumps))
  } finally {
    await rm(folder, { recursive: true, force: true })
    await rm(map, { force: true })
  }
}
