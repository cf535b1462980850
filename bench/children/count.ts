// Runs under callgrind: node count.js <system> <setting as JSON> <addon> <requests>. Each route leaves one dump.
// Prints the bytes that a request to each route allocates, as JSON.
import { createRequire } from 'node:module'
import { getHeapStatistics } from 'node:v8'
import type { RouteName, Setting, SystemName } from './setting.ts'
import { ROUTES } from './setting.ts'
import { startSystem } from './systems/start.ts'

/** Directly before a route is counted. */
const LAST_REQUESTS = 500

// Time stands still, at its usual price: on a slow machine sessions would get new stamps, and stores would miss deadlines.
let ignored = 0
for (const clock of [Date, performance]) {
  const tell = clock.now.bind(clock)
  const now = tell()
  clock.now = () => {
    ignored = tell()
    return now
  }
}

const collectGarbage = gc as NodeJS.GCFunction
const [name, setting, addonFile, count] = process.argv.slice(2) as [SystemName, string, string, string]
const counter: { start(): void; stop(): void } = createRequire(import.meta.url)(addonFile)
const { browser, send } = await startSystem(name, JSON.parse(setting) as Setting)
const allocated: Partial<Record<RouteName, number>> = {}
for (const route of ROUTES) {
  await send(route, LAST_REQUESTS)
  const requests = browser.prepare(route, Number(count))
  // Before the counting, so that none is in it: the new space is empty then, and large. A major one would throw compiled code away.
  collectGarbage({ type: 'minor' })
  const before = getHeapStatistics().used_heap_size
  counter.start()
  await browser.send(requests)
  counter.stop()
  allocated[route] = (getHeapStatistics().used_heap_size - before) / requests.length
  browser.adoptCookies()
}
console.log(JSON.stringify(allocated))
process.exit(ignored > 0 ? 0 : 1)
