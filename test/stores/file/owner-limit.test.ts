import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { addWithin } from '../../../lib/stores/file/owner-limit.ts'
import { newKey } from '../../../lib/testing/store-contract/bench.ts'
import type { CreateResult, OwnerLimit } from '../../../types/store.ts'
import type { FileParts } from '../../helpers/file-sessions.ts'
import { newFileParts, toStored } from '../../helpers/file-sessions.ts'

const NOW = 1_763_640_000
const EVICTING = { max: 3, evict: true }

function login(
  parts: FileParts,
  key: string,
  limit: OwnerLimit = EVICTING,
  call?: object,
  replacing?: string
): Promise<CreateResult> {
  const record = { ...toStored(key, { createdAt: NOW }), ownerId: 'ada' }
  const told = call === undefined && replacing === undefined ? undefined : { ...call, replacing }
  return addWithin(limit, told as never, record, parts.locks.begin(call as never), parts)
}

async function liveOf(parts: FileParts): Promise<string[]> {
  return (await parts.sessions.ofOwner('ada')).map(({ key }) => key).sort()
}

/** Three sessions of one owner, the oldest first. */
async function addThree(parts: FileParts): Promise<[string, string, string]> {
  const add = (createdAt: number): Promise<string> => parts.add({ ownerId: 'ada', createdAt })
  return [await add(NOW - 3), await add(NOW - 2), await add(NOW - 1)]
}

t.test('while there is room, nobody makes room', async (t) => {
  const parts = newFileParts()
  const [key, other] = [newKey(), newKey()]
  t.equal(await login(parts, key), true)
  t.equal(await login(parts, other), true)
  t.same(await liveOf(parts), [key, other].sort())
  t.equal(await login(parts, key), false, 'it exists')
})

t.test('the oldest makes room', async (t) => {
  const parts = newFileParts()
  const [oldest, ...others] = await addThree(parts)
  const key = newKey()
  t.equal(await login(parts, key), true)
  t.same(await liveOf(parts), [...others, key].sort())
  t.equal(await parts.sessions.find(oldest), undefined)
  t.equal(await login(parts, key), false)
  t.same(await liveOf(parts), [...others, key].sort(), 'a key that exists makes nobody give way')
})

t.test('a limit that does not evict refuses', async (t) => {
  const parts = newFileParts()
  const keys = await addThree(parts)
  const refusing = { max: 3, evict: false }
  t.equal(await login(parts, newKey(), refusing), 'over-limit')
  t.equal(await login(parts, keys[1], refusing), false)
  t.equal(await login(parts, newKey(), refusing, undefined, keys[0]), true)
  t.equal((await liveOf(parts)).length, 4)
})

t.test('nobody is logged out for a session that could not be written', async (t) => {
  const parts = newFileParts()
  const keys = await addThree(parts)
  rmSync(join(parts.directory, 'temporary'), { recursive: true })
  await t.rejects(login(parts, newKey()), { code: 'ENOENT' })
  mkdirSync(join(parts.directory, 'temporary'))
  t.same(await liveOf(parts), keys.toSorted())
})

t.test('nor for one whose caller gives up before the oldest has made room', async (t) => {
  const parts = newFileParts()
  const keys = await addThree(parts)
  const call = {
    // The new session is on the disk by then, without its name.
    get deadline() {
      const isWritten = readdirSync(join(parts.directory, 'temporary')).length > 0
      return isWritten ? performance.now() - 1 : performance.now() + 60_000
    }
  }
  await t.rejects(login(parts, newKey(), EVICTING, call), { message: /no time left/ })
  t.same(await liveOf(parts), keys.toSorted())
})

t.test('who asks is told which sessions made room', async (t) => {
  const parts = newFileParts()
  const [oldest] = await addThree(parts)
  const told: unknown[] = []
  const call = { deadline: performance.now() + 60_000, evicted: (...values: unknown[]) => told.push(values) }
  t.equal(await login(parts, newKey(), EVICTING, call), true)
  t.same(told, [[oldest, 'ada']])
})
