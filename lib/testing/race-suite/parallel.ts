import assert from 'node:assert/strict'
import type { LightMyRequestResponse } from 'fastify'
import { range, repeat } from '../range.ts'
import type { Step } from './app.ts'
import type { HeldRequest } from './browser.ts'
import type { Races } from './races.ts'
import { cookieValue, errorCode, setCookie, statuses } from './reply.ts'
import { IDLE } from './site.ts'

const WRITERS = 10
const INCREMENTS = 100
const LOGINS = 8

/** Requests whose steps in the store overlap, from two applications. */
export function testParallelRequests({ testUnless }: Races): void {
  testUnless(['atomicity'], 'parallel writes to different keys are all kept', async ({ browser }) => {
    await browser.write({ before: 1 })
    const names = range(WRITERS).map((index) => `key${index}`)
    const replies = await browser.sendInParallel(names.map((name) => ['write', { set: { [name]: name } }]))
    assert.deepEqual(statuses(replies), repeat(200, WRITERS))
    assert.deepEqual(await browser.read(), { before: 1, ...Object.fromEntries(names.map((name) => [name, name])) })
  })

  testUnless(['atomicity'], 'parallel writes to the same keys never mix', async ({ browser }) => {
    await browser.write({ one: -1, two: { by: -1 } })
    await browser.sendInParallel(range(WRITERS).map((index) => ['write', { set: { one: index, two: { by: index } } }]))
    const { one, two } = await browser.read()
    assert.ok(range(WRITERS).includes(one as number), 'one of the requests wins')
    assert.deepEqual(two, { by: one }, 'both keys are from the same request')
  })

  testUnless(
    ['atomicity'],
    `${INCREMENTS} parallel increments with update() count to ${INCREMENTS}`,
    async ({ browser }) => {
      await browser.write({ other: 0 })
      const replies = await browser.sendInParallel(repeat(['increment', {}], INCREMENTS))
      assert.deepEqual(statuses(replies), repeat(200, INCREMENTS))
      const counts = replies.map((reply) => reply.json().count as number)
      assert.deepEqual(
        counts.toSorted((a, b) => a - b),
        range(INCREMENTS).map((index) => index + 1),
        'each request gets a different number'
      )
      assert.deepEqual(await browser.read(), { other: 0, count: INCREMENTS })
    }
  )

  testUnless(['atomicity'], 'each item that update() pushes is in the array once', async ({ browser }) => {
    await browser.write({ list: [] })
    const items = range(2 * WRITERS)
    const replies = await browser.sendInParallel(items.map((item) => ['push', { set: { item } }]))
    assert.deepEqual(statuses(replies), repeat(200, items.length))
    const { list } = await browser.read()
    assert.deepEqual(
      (list as number[]).toSorted((a, b) => a - b),
      items
    )
  })

  testUnless(['atomicity'], 'parallel updates and plain writes to other keys are all kept', async ({ browser }) => {
    await browser.write({ kept: 1, removed: 1 })
    const names = range(WRITERS).map((index) => `key${index}`)
    await browser.sendInParallel([
      ...repeat<Step>(['increment', {}], WRITERS),
      ...names.map((name): Step => ['write', { set: { [name]: 1 } }]),
      ['write', { unset: ['removed'] }]
    ])
    assert.deepEqual(await browser.read(), {
      kept: 1,
      count: WRITERS,
      ...Object.fromEntries(names.map((name) => [name, 1]))
    })
  })

  testUnless(['atomicity'], 'a logout among parallel readers and writers is final', async ({ browser, advance }) => {
    for (const _ of range(3)) {
      const before = await browser.logIn()
      advance(IDLE / 2)
      const others = range(WRITERS).flatMap((index): Step[] => [
        ['write', { set: { [`key${index}`]: 1 } }],
        ['increment', {}],
        ['read', {}]
      ])
      const replies = await browser.sendInParallel([...others, ['destroy', {}], ...others])
      assert.equal(replies[others.length]?.statusCode, 200)
      assert.deepEqual(await before.read(), {})
    }
  })

  testUnless(
    ['atomicity'],
    'writes that succeed while the id changes are in the renewed session',
    async ({ browser }) => {
      for (const _ of range(3)) {
        await browser.send('regenerate', { keep: [] })
        await browser.write({ count: 0 })
        const [before, old] = [browser.copy(), browser.copy()]
        const names = range(WRITERS).map((index) => `key${index}`)
        const writes = names.map((name): Step => ['commit', { set: { [name]: 1 } }])
        const updates = repeat<Step>(['increment', {}], WRITERS)
        const renewal: Step = ['renew', { set: { user: 'ada' } }]
        const replies = await before.sendInParallel([...writes, renewal, ...updates])
        const [written, [renewed], counted] = [
          replies.slice(0, WRITERS),
          replies.slice(WRITERS, WRITERS + 1),
          replies.slice(WRITERS + 1)
        ]
        browser.take(renewed as LightMyRequestResponse)
        const kept = names.filter((_, index) => written[index]?.statusCode === 200)
        const count = counted.filter(({ statusCode }) => statusCode === 200).length
        const codes = [...written, ...counted].map(errorCode).filter((code) => code !== undefined)
        assert.deepEqual(codes, repeat('ERR_SESSION_GONE', codes.length))
        assert.deepEqual(await browser.read(), {
          user: 'ada',
          count,
          ...Object.fromEntries(kept.map((name) => [name, 1]))
        })
        assert.deepEqual(await old.read(), {}, 'the old id opens nothing')
      }
    }
  )

  testUnless(['atomicity'], 'one of several parallel renewals wins', async ({ browser, visit }) => {
    await browser.write({ cart: 1 })
    const replies = await browser.sendInParallel(repeat(['renew', { set: { user: 'ada' } }], LOGINS))
    assert.deepEqual(statuses(replies), repeat(200, LOGINS))
    const tokens = new Set(replies.map(cookieValue).filter((token) => token !== undefined))
    assert.equal(tokens.size, 1, 'the other renewals find that the session is gone, and set no cookie')
    for (const token of tokens) assert.deepEqual(await visit(token).read(), { cart: 1, user: 'ada' })
  })

  for (const policy of ['refuse', 'evict-oldest'] as const) {
    testUnless(
      ['atomicity', 'owners'],
      `parallel logins do not exceed maxPerOwner (${policy})`,
      async ({ app, visit, user }) => {
        const held: HeldRequest[] = []
        for (const _ of range(LOGINS)) held.push(await visit().hold('login'))
        const replies = await Promise.all(held.map((request) => request.release()))
        const accepted = replies.filter(({ statusCode }) => statusCode === 200)
        assert.equal(accepted.length, policy === 'refuse' ? 2 : LOGINS)
        for (const reply of replies.filter(({ statusCode }) => statusCode !== 200)) {
          assert.equal(errorCode(reply), 'ERR_SESSION_LIMIT')
          assert.equal(setCookie(reply), undefined)
        }
        const sessions = await Promise.all(accepted.map((reply) => visit(cookieValue(reply)).read()))
        assert.equal(sessions.filter((data) => data.user === user).length, 2)
        assert.equal((await app.sessions.list(user)).length, 2)
      },
      { maxPerOwner: 2, maxPerOwnerPolicy: policy }
    )
  }
}
