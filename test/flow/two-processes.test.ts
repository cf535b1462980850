import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { startRedis } from '../helpers/redis.ts'
import { cannotTest } from '../helpers/service.ts'

const HELPERS = join(import.meta.dirname, '../helpers')
/** Each sends one request after the other. */
const BROWSERS = 24
/** How many acknowledged increments it takes until a process is killed, and then until the end. */
const UNTIL_KILL = 150
const UNTIL_END = 300

const redis = await startRedis()
if (redis === undefined) {
  cannotTest(t, 'two processes on one Redis', 'there is no redis-server to start')
} else {
  t.teardown(() => redis.end())
  t.test('two processes on one Redis, one of which is killed, lose nothing that was acknowledged', async (t) => {
    const secret = randomBytes(32).toString('hex')
    const apps = await Promise.all([1, 2].map(() => start(redis.ports[0] as number, secret)))
    t.teardown(() => Promise.all(apps.map((app) => app.kill())))
    const [doomed, survivor] = apps as [Application, Application]

    const login = await fetch(`${survivor.url}/login`, { method: 'POST' })
    const [cookie = ''] = login.headers.getSetCookie()[0]?.split(';', 1) ?? []
    const send = (app: Application, path: string, method = 'POST'): Promise<Response> =>
      fetch(app.url + path, { method, headers: { cookie } })

    const counts: number[] = []
    const keys: string[] = []
    const statuses = new Map<number | 'no reply', number>()
    /** In flight when the process was killed: nobody was told whether they took place. */
    let unknown = 0
    let killed: Promise<unknown> | undefined
    const served = { doomed: 0, survivor: 0 }

    const browse = async (browser: number): Promise<void> => {
      for (let turn = 0; counts.length < UNTIL_END; turn++) {
        const index = killed === undefined ? (browser + turn) % 2 : 1
        const key = `key-${browser}-${turn}`
        const isIncrement = turn % 3 !== 0
        try {
          const sent = send(apps[index] as Application, isIncrement ? '/increment' : `/set/${key}`)
          // Whatever else is under way, this one cannot have been answered.
          if (index === 0 && doomed.isFrozen) killed ??= doomed.kill()
          const reply = await sent
          const body = await reply.text()
          statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1)
          if (reply.status !== 200) continue
          served[index === 0 ? 'doomed' : 'survivor']++
          if (isIncrement) counts.push(Number(body))
          else keys.push(key)
        } catch {
          statuses.set('no reply', (statuses.get('no reply') ?? 0) + 1)
          if (isIncrement) unknown++
        }
        if (counts.length >= UNTIL_KILL) doomed.freeze()
      }
    }
    await Promise.all(Array.from({ length: BROWSERS }, (_, browser) => browse(browser)))
    await killed
    t.comment(
      `acknowledged: ${counts.length} increments, ${keys.length} keys; replies: ${JSON.stringify([...statuses])}`
    )
    t.ok(served.doomed > 50 && served.survivor > 50, `both served: ${JSON.stringify(served)}`)
    t.ok((statuses.get('no reply') ?? 0) > 0, 'it was killed with requests under way')
    t.same(
      [...statuses.keys()].filter((status) => status !== 200 && status !== 'no reply'),
      [],
      'the other one answered everything'
    )

    const data = (await (await send(survivor, '/data', 'GET')).json()) as Record<string, unknown>
    const visits = data.visits as number
    t.equal(new Set(counts).size, counts.length, 'no two increments were told the same number')
    t.ok(visits >= counts.length, `${visits} in the store, ${counts.length} acknowledged`)
    t.ok(visits <= counts.length + unknown, `at most the ${unknown} more of which nobody was told`)
    t.ok(Math.max(...counts) <= visits)
    t.same(
      keys.filter((key) => data[key] !== key),
      [],
      'every acknowledged key is there'
    )
  })
}

interface Application {
  readonly url: string
  readonly isFrozen: boolean
  /** Stops it wherever it is, with requests half done. */
  freeze(): void
  /** As by `kill -9`. */
  kill(): Promise<unknown>
}

async function start(redisPort: number, secret: string): Promise<Application> {
  const child: ChildProcess = fork(join(HELPERS, 'counting-app.ts'), [String(redisPort), secret], {
    execArgv: [`--import=${join(HELPERS, 'strip-types.mjs')}`]
  })
  const ended = once(child, 'exit')
  const [port] = await Promise.race([
    once(child, 'message'),
    ended.then(() => Promise.reject(new Error('The application did not start.')))
  ])
  let isFrozen = false
  return {
    url: `http://127.0.0.1:${port}`,
    get isFrozen() {
      return isFrozen
    },
    freeze() {
      if (!isFrozen) isFrozen = child.kill('SIGSTOP')
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    }
  }
}
