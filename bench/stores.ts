// Measures each store with few and with very many sessions: npm run bench:stores -- [--stores a,b] [--sizes 1000,100000]
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { OPEN } from './open-store.ts'

/** The number of concurrent calls, as on a busy server. */
const IN_FLIGHT = 50
const SAMPLE = 10_000
const WARM_UP = 2000
const HOUR = 3600

/** Returns about 200 bytes of JSON, as in the other bench, different for each session. */
function newJson(number: number): string {
  return JSON.stringify({
    profile: { id: number, name: `user-${number}`, email: `user-${number}@example.com`, roles: ['editor', 'admin'] },
    preferences: { theme: 'dark', language: 'en', perPage: 50 },
    csrf: randomBytes(18).toString('base64url'),
    visits: 12
  })
}

const { values } = parseArgs({ options: { stores: { type: 'string' }, sizes: { type: 'string' } } })
const names = values.stores?.split(',') ?? Object.keys(OPEN)
const sizes = (values.sizes ?? '1000,100000').split(',').map(Number)

console.log('Each call: µs of elapsed time while 49 others are under way (CPU time here + CPU time of its server)\n')
console.log('| store | sessions | created per second | create | load | commit | touch | bytes per session |')
console.log('| --- | --: | --: | --: | --: | --: | --: | --: |')
for (const name of names) await benchStore(name)

async function benchStore(name: string): Promise<void> {
  const open = OPEN[name]
  if (open === undefined) throw new Error(`Unknown: ${name}. Known are ${Object.keys(OPEN).join(', ')}.`)
  const { store, measure, serverCpu, close } = await open({ pruneInterval: 0 })
  const now = Math.floor(Date.now() / 1000)
  const keys: string[] = []
  const create = async (): Promise<void> => {
    const key = randomBytes(32).toString('base64url')
    keys.push(key)
    const record = {
      json: newJson(keys.length),
      createdAt: now,
      lastSeenAt: now,
      permanent: false,
      description: undefined,
      extensions: undefined
    }
    // Every other session has an owner, because the index is part of the cost.
    const ownerId = keys.length % 2 === 0 ? `user-${keys.length}` : undefined
    await store.create(key, { ...record, ownerId }, now + HOUR)
  }
  const someKey = (): string => keys[Math.floor(Math.random() * keys.length)] as string
  const changes = { set: { visits: '13' }, unset: [], lastSeenAt: now }
  try {
    const empty = await measure()
    for (const size of sizes) {
      const missing = size - keys.length
      const filling = await time(missing, create, serverCpu)
      const bytes = (await measure()) - empty - keysInHeap(name, keys.length)
      const operations = [
        () => store.load(someKey()),
        () => store.commit(someKey(), changes, now + HOUR),
        () => store.touch(someKey(), now + HOUR, now)
      ]
      const cells: string[] = []
      for (const operation of operations) {
        await time(WARM_UP, operation, serverCpu)
        cells.push(cellOf(await time(SAMPLE, operation, serverCpu)))
      }
      const perSecond = Math.round(1e6 / filling.wall).toLocaleString('en')
      console.log(
        `| ${name} | ${size.toLocaleString('en')} | ${perSecond} | ${[cellOf(filling), ...cells].join(' | ')} | ${Math.round(bytes / size)} |`
      )
    }
  } finally {
    await close()
  }
}

/** Microseconds per call. */
interface Times {
  readonly wall: number
  /** CPU time of this process. */
  readonly cpu: number
  /** CPU time of the store's server. */
  readonly server: number
}

/** Runs `call` `count` times, `IN_FLIGHT` at a time. */
async function time(count: number, call: () => unknown, serverCpu: () => Promise<number>): Promise<Times> {
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) await call()
  }
  const serverBefore = await serverCpu()
  const cpuBefore = process.cpuUsage()
  const before = performance.now()
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  const wall = ((performance.now() - before) * 1000) / count
  const { user, system } = process.cpuUsage(cpuBefore)
  return { wall, cpu: (user + system) / count, server: ((await serverCpu()) - serverBefore) / count }
}

function cellOf({ wall, cpu, server }: Times): string {
  return `${wall.toFixed(0)} (${cpu.toFixed(0)} + ${server.toFixed(0)})`
}

/** The bytes of the bench's own array of keys. The memory store shares its strings, so only the pointers count. */
function keysInHeap(name: string, count: number): number {
  return name === 'memory' ? count * 8 : 0
}
