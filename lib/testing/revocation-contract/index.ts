import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import type { Method } from '../../../types/method.ts'
import type { OwnerRevocation, Revocation, RevocationList, SessionRevocation } from '../../../types/revocations.ts'
import { range } from '../range.ts'

const START = 1_763_640_000
const HOUR = 3600

/** What `testRevocations` needs to know about the list and the test runner. */
export interface RevocationSuite {
  /**
   * Registers a test: `test` of `node:test` or of `tap`, or any function that takes a name and an asynchronous function.
   *
   * @example
   * ```ts
   * import t from 'tap'
   *
   * testRevocations({ test: (name, run) => t.test(name, run), open: (clock) => new MemoryRevocations({ clock }) })
   * ```
   */
  test(name: string, run: () => Promise<void>): unknown
  /**
   * Returns the list for one test. Called twice in a test, it returns the same list for another process, or the same object. The list
   * may have entries of earlier tests. Pass `clock` on to it: it returns milliseconds since 1970 and stands still until the suite moves
   * it.
   *
   * @example
   * ```ts
   * import { test } from 'node:test'
   *
   * let now = Date.now
   * const list = new MemoryRevocations({ clock: () => now() })
   * testRevocations({
   *   test,
   *   open(clock) {
   *     now = clock
   *     return list
   *   }
   * })
   * ```
   */
  open(clock: () => number): RevocationList | Promise<RevocationList>
  /**
   * Called after each test with each list that `open` returned. Default: nothing.
   *
   * @example
   * ```ts
   * import { test } from 'node:test'
   *
   * const list = new MemoryRevocations()
   * testRevocations({ test, open: () => list, close: (used) => console.log(used === list) })
   * ```
   */
  close?: Method<[list: RevocationList], unknown> | undefined
}

interface Bench {
  /** Two processes with one list. */
  readonly here: RevocationList
  readonly there: RevocationList
  readonly now: number
  advance(seconds: number): void
}

/**
 * Registers the tests of the contract that `RevocationList` states, for any list and any test runner. Run them for each list that you
 * write.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { RedisRevocations } from 'fastify-typed-session/stores/redis'
 * import { testRevocations } from 'fastify-typed-session/testing'
 * import { Redis } from 'ioredis'
 *
 * const client = new Redis()
 * testRevocations({ test, open: (clock) => new RedisRevocations({ client, clock }) })
 * ```
 */
export function testRevocations(suite: RevocationSuite): void {
  const test = (name: string, run: (bench: Bench) => Promise<void>): unknown =>
    suite.test(name, () => withBench(suite, run))

  test('every process gets each entry as it was added', async ({ here, there, now }) => {
    const { position } = await drain(there)
    const entries: Revocation[] = [
      sessionOf({ until: now + HOUR, renamedUntil: now + 60, successor: newId() }),
      sessionOf({ until: now + HOUR }),
      ownerOf({ before: now * 1000 + 1, except: [newId()], until: now + HOUR }),
      ownerOf({ id: ` Å"\\\u2028😀${newId()}`, before: now * 1000, except: [], until: now + HOUR }),
      { kind: 'all', before: now * 1000 + 999, until: now + HOUR }
    ]
    for (const entry of entries) assert.equal(await here.add(entry), undefined)
    for (const list of [here, there]) assert.deepEqual(plain((await drain(list, position)).entries), plain(entries))
    assertHas((await drain(there)).entries, entries)
  })

  test('a position leads to what was added after it', async ({ here, there, now }) => {
    const [first, second] = [sessionOf({ until: now + HOUR }), sessionOf({ until: now + HOUR })]
    await here.add(first)
    const { position } = await drain(there)
    assert.deepEqual((await drain(there, position)).entries, [])
    await here.add(second)
    const later = await drain(there, position)
    assert.deepEqual(plain(later.entries), plain([second]))
    assert.deepEqual((await drain(there, later.position)).entries, [])
  })

  test('of several who end a session, one has ended it, and the others learn how', async ({ here, there, now }) => {
    const id = newId()
    const entries = range(8).map(() => sessionOf({ id, until: now + HOUR, successor: newId() }))
    const results = await Promise.all(entries.map((entry, index) => (index % 2 === 0 ? here : there).add(entry)))
    const winner = entries[results.indexOf(undefined)]
    assert.deepEqual(
      results.filter((result) => result !== undefined).map((result) => plain([result])),
      range(7).map(() => plain([winner as Revocation]))
    )
    assert.deepEqual(
      plain([(await there.add(sessionOf({ id, until: now + HOUR }))) as Revocation]),
      plain([winner as Revocation])
    )
    const listed = (await drain(here)).entries.filter((entry) => entry.kind === 'session' && entry.id === id)
    assert.deepEqual(plain(listed), plain([winner as Revocation]))
  })

  test('the same owner, and everybody, can be added again and again', async ({ here, now }) => {
    const { position } = await drain(here)
    const owner = ownerOf({ before: now * 1000, except: [], until: now + HOUR })
    for (const entry of [owner, owner, { ...owner, before: now * 1000 + 1 }]) {
      assert.equal(await here.add(entry), undefined)
    }
    const { entries } = await drain(here, position)
    assert.ok(entries.some((entry) => entry.kind === 'owner' && entry.before === now * 1000 + 1))
  })

  test('an entry is kept through its last second, and not in the next', async ({ here, there, now, advance }) => {
    const [short, long] = [sessionOf({ until: now + 10 }), sessionOf({ until: now + 20 })]
    await here.add(long)
    await here.add(short)
    advance(10)
    assertHas((await drain(there)).entries, [short, long])
    assert.deepEqual(plain([(await there.add({ ...short, until: now + HOUR })) as Revocation]), plain([short]))
    advance(1)
    const { entries } = await drain(there)
    assertHas(entries, [long])
    assert.ok(!entries.some((entry) => entry.kind === 'session' && entry.id === short.id))
    assert.equal(await there.add({ ...short, until: now + HOUR }), undefined, 'a session that is over can be added')
    advance(10)
    assertHas((await drain(here)).entries, [{ ...short, until: now + HOUR }])
  })

  test('nothing that is added in parallel is missed', async ({ here, there, now }) => {
    let { position } = await drain(there)
    const entries = range(60).map(() => sessionOf({ until: now + HOUR }))
    const seen = new Set<string>()
    let isDone = false
    const adding = Promise.all(entries.map((entry, index) => (index % 2 === 0 ? here : there).add(entry))).then(() => {
      isDone = true
    })
    for (let turns = 0; turns < 2; turns += isDone ? 1 : 0) {
      const page = await drain(there, position)
      for (const entry of page.entries) if (entry.kind === 'session') seen.add(entry.id)
      position = page.position
      await new Promise((resolve) => setImmediate(resolve))
    }
    await adding
    assert.deepEqual(
      entries.filter(({ id }) => !seen.has(id)),
      []
    )
  })

  test('a long list comes in parts', async ({ here, there, now }) => {
    const { position } = await drain(there)
    const entries = range(2500).map(() => sessionOf({ until: now + HOUR }))
    for (const part of range(25)) {
      await Promise.all(entries.slice(part * 100, part * 100 + 100).map((entry) => here.add(entry)))
    }
    const found = new Set((await drain(there, position)).entries.map((entry) => entry.kind === 'session' && entry.id))
    assert.deepEqual(
      entries.filter(({ id }) => !found.has(id)),
      []
    )
  })

  test('a position that the list does not know counts as none', async ({ here, there, now }) => {
    const entry = sessionOf({ until: now + HOUR })
    await here.add(entry)
    const { position } = await drain(there)
    // Of the same list after a loss, the numbers begin anew.
    assertHas((await drain(there, position.replaceAll(/\d+/g, '999999999'))).entries, [entry])
  })

  test('who listens hears each entry, until they stop', async ({ here, there, now }) => {
    if (there.listen === undefined) return
    const heard: Revocation[] = []
    const events = new EventEmitter()
    const stop = await there.listen(
      (entry) => {
        heard.push(entry)
        events.emit('heard')
      },
      assert.fail as () => never
    )
    const [own, other] = [
      sessionOf({ until: now + HOUR }),
      ownerOf({ before: now * 1000, except: [newId()], until: now + HOUR })
    ]
    for (const [list, entry] of [
      [there, own],
      [here, other]
    ] as const) {
      const told = once(events, 'heard')
      await list.add(entry)
      await told
    }
    assertHas(heard, [own, other])
    await stop()
    const before = heard.length
    await here.add(sessionOf({ until: now + HOUR }))
    await here.since(undefined)
    assert.equal(heard.length, before)
  })
}

async function withBench(suite: RevocationSuite, run: (bench: Bench) => Promise<void>): Promise<void> {
  let milliseconds = START * 1000 + 500
  const clock = (): number => milliseconds
  const lists = [await suite.open(clock), await suite.open(clock)] as const
  try {
    await run({
      here: lists[0],
      there: lists[1],
      now: START,
      advance(seconds) {
        milliseconds += seconds * 1000
      }
    })
  } finally {
    for (const list of new Set(lists)) await suite.close?.(list)
  }
}

/** Returns all that a list has after a position. */
async function drain(list: RevocationList, from?: string): Promise<{ entries: Revocation[]; position: string }> {
  const entries: Revocation[] = []
  let position = from
  for (;;) {
    const page = await list.since(position)
    entries.push(...page.entries)
    position = page.position
    if (!page.hasMore) return { entries, position }
  }
}

function assertHas(entries: readonly Revocation[], wanted: readonly Revocation[]): void {
  const there = new Set(plain(entries))
  assert.deepEqual(
    plain(wanted).filter((entry) => !there.has(entry)),
    []
  )
}

/** Entries as JSON, whose members with the value undefined do not count, sorted. */
function plain(entries: readonly Revocation[]): string[] {
  return entries
    .map((entry) =>
      JSON.stringify(
        Object.entries(entry)
          .filter(([, value]) => value !== undefined)
          .sort()
      )
    )
    .sort()
}

function sessionOf(entry: Partial<SessionRevocation> & { until: number }): SessionRevocation {
  return { kind: 'session', id: newId(), ...entry }
}

function ownerOf(entry: Omit<OwnerRevocation, 'kind' | 'id'> & { id?: string }): OwnerRevocation {
  return { kind: 'owner', id: newId(), ...entry }
}

function newId(): string {
  return randomBytes(16).toString('base64url')
}
