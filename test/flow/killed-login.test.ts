import type { ChildProcess } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import t from 'tap'
import { FileStore } from '../../lib/stores/file/index.ts'
import { newKey, newRecord } from '../../lib/testing/store-contract/bench.ts'
import { newFileParts } from '../helpers/file-sessions.ts'
import { ended, linesOf, startScript } from '../helpers/writers.ts'

const NOW = 1_763_640_000
/** How many processes run at once. */
const AT_ONCE = 3

interface Scene {
  readonly directory: string
  readonly keys: readonly string[]
  readonly key: string
  readonly max: number
}

/** A directory with so many sessions of one owner, the oldest first, and the key of a new one. */
async function newScene(sessions: number, max: number): Promise<Scene> {
  const { directory, add } = newFileParts()
  const keys: string[] = []
  for (let index = 0; index < sessions; index++) keys.push(await add({ ownerId: 'ada', createdAt: NOW - 9 + index }))
  return { directory, keys, key: newKey(), max }
}

/** Starts the login of a scene, in a process that is killed before its n-th call of the file system. */
function startLogin({ directory, key, max }: Scene, n: number): ChildProcess {
  return startScript('killed-login.ts', [directory, String(n), 'ada', key, String(NOW), String(max)])
}

/** What holds after a login was killed at any moment. */
async function checkKilled(t: Test, { directory, keys, key, max }: Scene, n: number): Promise<void> {
  const store = new FileStore({ directory, pruneInterval: 0, clock: () => NOW * 1000 })
  const seen = async (): Promise<string[]> => {
    const found: string[] = []
    for (const each of [...keys, key]) if ((await store.load(each)) !== undefined) found.push(each)
    return found
  }
  const live = await seen()
  const listed = (await store.list('ada')).map((record) => record.key)
  const what = `killed before call ${n}`
  t.same(listed.sort(), live.toSorted(), `${what}: the list is what can be used`)
  const excess = keys.length - max
  const [allowed, begun] = [Math.max(max, keys.length), live.includes(key)]
  t.ok(live.length <= allowed, `${what}: never too many`)
  if (begun) t.same(live, [...keys.slice(excess + 1), key], `${what}: it has begun, and the oldest have ended`)
  else
    t.ok(
      keys.slice(excess + 1).every((each) => live.includes(each)),
      `${what}: nobody had to go but the oldest`
    )
  const later = newKey()
  t.equal(
    await store.create(later, newRecord({ ownerId: 'ada', createdAt: NOW + 1 }), NOW + 3600, { max, evict: true }),
    true
  )
  const after = await seen()
  t.equal((await store.list('ada')).length, max, `${what}: the next login leaves as many as allowed`)
  t.equal(after.length, max - 1, what)
  await store.prune()
  t.equal((await store.list('ada')).length, max, `${what}: also after pruning`)
  t.equal(await store.destroyAll('ada'), max)
  t.same(await seen(), [], `${what}: and all can be ended`)
  t.same(readdirSync(join(directory, 'locks')), [])
  await store.close()
}

t.setTimeout(240_000)

// After a limit was lowered, two make room: most steps are the same, so that a third of them is enough.
for (const { sessions, max, step } of [
  { sessions: 3, max: 3, step: 1 },
  { sessions: 4, max: 3, step: 3 }
]) {
  t.test(
    `a login may be killed at any moment: ${sessions} sessions, ${max} allowed`,
    { timeout: 200_000 },
    async (t) => {
      const whole = startLogin(await newScene(sessions, max), 0)
      const { value: calls } = await linesOf(whole).next()
      t.ok(Number(calls) > 30)
      let next = 1
      const killAll = async (): Promise<void> => {
        while (next <= Number(calls)) {
          const n = next
          next += step
          const scene = await newScene(sessions, max)
          t.equal(await ended(startLogin(scene, n)), 'SIGKILL')
          await checkKilled(t, scene, n)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, killAll))
    }
  )
}
