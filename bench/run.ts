import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import type { PayloadName, RouteName } from './children/protocol.ts'
import { measureGroup } from './measure.ts'
import { GROUPS, PAYLOADS, ROUTES } from './plan.ts'
import { findCores } from './processes.ts'

const here = new URL('.', import.meta.url)
const built = spawnSync('npm', ['run', '--silent', 'build'], { cwd: here, stdio: ['ignore', 'inherit', 'ignore'] })
if (built.status !== 0) throw new Error('The bench does not compile')
const { values } = parseArgs({
  options: {
    systems: { type: 'string' },
    routes: { type: 'string' },
    payload: { type: 'string' },
    rounds: { type: 'string', default: '2' },
    slices: { type: 'string', default: '8' }
  }
})
const cores = findCores()
const routes = ROUTES.filter((r) => values.routes?.split(',').includes(r) ?? true)
for (const payload of PAYLOADS.filter((p) => values.payload === undefined || p === values.payload)) {
  for (const group of GROUPS) {
    const systems = group.systems.filter(
      ({ name, base }) => base === undefined || (values.systems?.split(',').includes(name) ?? true)
    )
    if (systems.length < 2) continue
    const result = await measureGroup(
      { ...group, systems },
      routes,
      payload as PayloadName,
      { rounds: +values.rounds, slices: +values.slices },
      cores
    )
    for (const [name, r] of Object.entries(result)) {
      console.log(
        name.padEnd(16),
        String(r.cookieBytes ?? '').padStart(5),
        r.peakRss.toFixed(1).padStart(7),
        ...routes.map((route: RouteName) => {
          const x = r.routes[route]
          return x
            ? ` ${route} ${(x.overhead ?? x.total).toFixed(2)}±${x.spread.toFixed(2)} [${x.rounds.map((v) => v.toFixed(1)).join(' ')}] d${x.discarded} ${(x.requestsPerSecond / 1000).toFixed(0)}k |`
            : ''
        })
      )
    }
  }
}
