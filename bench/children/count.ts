// Runs under callgrind: node count.js <system> <setting as JSON> <addon> <requests>. Each route leaves one dump.
// Prints the bytes that a request to each route allocates, as JSON.
import { createRequire } from 'node:module'
import { getHeapStatistics } from 'node:v8'
import { createAccounts } from './accounts.ts'
import { Browser } from './browser.ts'
import { prove } from './prove.ts'
import type { RouteName, Setting, SystemName } from './setting.ts'
import { ROUTES } from './setting.ts'
import { importSystem } from './systems/start.ts'

/** For each route, in turns: a system is warm when all of its routes are. */
const WARM_UP_TURNS = 3
const WARM_UP_REQUESTS = 1000
/** Directly before a route is counted. */
const LAST_REQUESTS = 500

const collectGarbage = gc as NodeJS.GCFunction
const [name, settingText, addonFile, count] = process.argv.slice(2) as [SystemName, string, string, string]
const setting: Setting = JSON.parse(settingText)
const counter: { start(): void; stop(): void } = createRequire(import.meta.url)(addonFile)
const start = await importSystem(name)
const app = await start({ accounts: createAccounts(setting.payload), logger: setting.logger })
const browser = new Browser(app, setting)
if (name !== 'bare') {
  await prove(name, browser)
  await browser.logIn()
}
const send = async (route: RouteName, requests: number): Promise<void> => {
  await browser.send(browser.prepare(route, requests))
  browser.adoptCookies()
}
for (let turn = 0; turn < WARM_UP_TURNS; turn++) for (const route of ROUTES) await send(route, WARM_UP_REQUESTS)
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
process.exit()
