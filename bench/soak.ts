// Sends mixed requests to each store and each mode of the cookie, and fails if the process holds more in the second half:
// npm run soak -- [--store redis,signed] [--requests 1000000]
import { parseArgs } from 'node:util'
import type { SessionOptions } from '../dist/lib/index.js'
import session from '../dist/lib/index.js'
import type { OpenStore } from './open-store.ts'
import { OPEN } from './open-store.ts'
import { serve } from './soak/app.ts'
import { SoakClock, soak } from './soak/run.ts'
import type { Sample } from './soak/sample.ts'
import { complain, judge } from './soak/verdict.ts'

const SECRET = 'correct horse battery staple 0123456789'
const IDLE_TIMEOUT = 3600
const COOKIE_MODES = ['signed', 'encrypted']

const { values } = parseArgs({
  options: { store: { type: 'string' }, requests: { type: 'string', default: '1000000' } }
})
const known = [...COOKIE_MODES, ...Object.keys(OPEN)]
const names = values.store?.split(',') ?? known
const unknown = names.filter((name) => !known.includes(name))
if (unknown.length > 0) throw new Error(`Unknown: ${unknown.join(', ')}. Known are ${known.join(', ')}.`)

const rows: string[] = []
for (const name of names) rows.push(await soakOne(name, Number(values.requests)))
console.log(
  '\n| sessions in | requests | minutes | heap, MB | external, MB | RSS, MB | descriptors | listeners | resources |'
)
console.log('| --- | --: | --: | --: | --: | --: | --: | --: | --: |')
for (const row of rows) console.log(row)
console.log('\nEach cell: the median of the first half → that of the second.')

/** Returns a row of the table. */
async function soakOne(name: string, requests: number): Promise<string> {
  const begin = performance.now()
  const clock = new SoakClock()
  const opened = await OPEN[name]?.({ pruneInterval: 1, clock: clock.now })
  const options = { secret: SECRET, idleTimeout: IDLE_TIMEOUT, clock: clock.now, ...modeOf(name, opened) }
  const soaked = await serve((app) => app.register(session, options as SessionOptions), opened !== undefined)
  const expire = async (): Promise<void> => {
    clock.skip(2 * IDLE_TIMEOUT)
    await opened?.store.prune?.()
  }
  const samples = await soak({
    soaked,
    requests,
    expire,
    emitters: opened?.emitters ?? [],
    onSample: ({ requests, ...rest }) => console.log(`${name}: ${format(requests)} requests ${JSON.stringify(rest)}`)
  })
  await soaked.app.close()
  await opened?.close()
  const growths = judge(samples)
  for (const complaint of complain(growths)) {
    console.error(`${name} GROWS: ${complaint}`)
    process.exitCode = 1
  }
  const minutes = (performance.now() - begin) / 60_000
  return rowOf(name, samples, minutes)
}

function modeOf(name: string, opened: OpenStore | undefined): object {
  if (opened === undefined) return { encrypt: name === 'encrypted' }
  return { store: opened.store, maxPerOwner: 5, maxPerOwnerPolicy: 'evict-oldest' }
}

function rowOf(name: string, samples: readonly Sample[], minutes: number): string {
  const cells = judge(samples).map(({ measure, first, second }) =>
    measure === 'heap' || measure === 'external' ? `${megabytes(first)} → ${megabytes(second)}` : `${first} → ${second}`
  )
  const last = samples.at(-1) as Sample
  cells.splice(2, 0, megabytes(last.rss))
  return `| ${[name, format(last.requests), minutes.toFixed(1), ...cells].join(' | ')} |`
}

function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(2)
}

function format(count: number): string {
  return count.toLocaleString('en')
}
