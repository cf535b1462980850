import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import { isSessionError } from '../../errors.ts'
import type { Browser, HeldRequest } from './browser.ts'
import type { Races } from './races.ts'
import { errorCode, setCookie } from './reply.ts'
import { IDLE } from './site.ts'

/** Holds requests that give the session a new id, in every way. */
async function holdChanges(browser: Browser): Promise<HeldRequest[]> {
  const set = { user: 'mallory' }
  return [
    await browser.hold('renew', { set }),
    await browser.hold('regenerate', { set }),
    await browser.hold('regenerate', { keep: ['user'] }),
    await browser.hold('regenerate', { keep: ['user'], keepOwner: true }),
    await browser.hold('regenerate', { keepOwner: true, set })
  ]
}

async function assertAllGone(changes: readonly HeldRequest[]): Promise<void> {
  for (const change of changes) {
    const reply = await change.release()
    assert.equal(reply.statusCode, 200)
    assert.equal(setCookie(reply), undefined)
  }
}

/** Not every store can. */
async function endEverything({ sessions }: FastifyInstance, user: string): Promise<unknown> {
  try {
    return await sessions.revokeEverything()
  } catch (error) {
    if (isSessionError(error) && error.code === 'ERR_SESSION_STORE_REQUIRED') return sessions.revokeAll(user)
    throw error
  }
}

/** Sessions that end while requests use them. No step of the store needs to be atomic. */
export function testEndings({ test, testUnless }: Races): void {
  test('a slow reader does not revive a destroyed session', async ({ browser, advance }) => {
    const before = await browser.logIn()
    advance(IDLE / 2)
    const reader = await browser.hold('read')
    await browser.logOut()
    const reply = await reader.release()
    assert.equal(reply.statusCode, 200)
    assert.equal(setCookie(reply), undefined, 'the reply of the logout has cleared the cookie already')
    assert.deepEqual(await before.read(), {})
  })

  test('a slow writer does not revive a destroyed session', async ({ browser }) => {
    const before = await browser.logIn()
    const writers = [
      await browser.hold('write', { set: { late: 1 } }),
      await browser.hold('write', { set: { late: 1 }, permanent: true }),
      await browser.hold('write', { unset: ['user'] })
    ]
    const commit = await browser.hold('commit', { set: { late: 1 } })
    const update = await browser.hold('increment')
    const reload = await browser.hold('reload')
    await browser.logOut()
    for (const writer of writers) {
      const reply = await writer.release()
      assert.equal(reply.statusCode, 200, 'the handler does not wait for the store, so it sends its reply')
      assert.equal(setCookie(reply), undefined)
    }
    for (const waiting of [commit, update, reload]) {
      const reply = await waiting.release()
      assert.equal(reply.statusCode, 409)
      assert.equal(errorCode(reply), 'ERR_SESSION_GONE')
      assert.equal(setCookie(reply), undefined)
    }
    assert.deepEqual(await before.read(), {})
  })

  test('a session that is destroyed twice at once is destroyed', async ({ browser }) => {
    const before = await browser.logIn()
    const other = await browser.hold('destroy')
    await browser.logOut()
    assert.equal((await other.release()).statusCode, 200)
    assert.deepEqual(await before.read(), {})
  })

  test('a session that expires during a request is gone', async ({ browser, advance }) => {
    await browser.write({ a: 1 })
    const inTime = await browser.hold('commit', { set: { b: 1 } })
    advance(IDLE)
    assert.equal((await inTime.release()).statusCode, 200, 'a request in the last second extends the session')
    assert.deepEqual(await browser.read(), { a: 1, b: 1 })
    const writer = await browser.hold('write', { set: { late: 1 } })
    const reader = await browser.hold('read')
    const renewal = await browser.hold('renew')
    const update = await browser.hold('increment')
    advance(IDLE + 1)
    for (const late of [writer, reader, renewal]) {
      const reply = await late.release()
      assert.equal(reply.statusCode, 200)
      assert.equal(setCookie(reply), undefined)
    }
    assert.equal(errorCode(await update.release()), 'ERR_SESSION_GONE')
    assert.deepEqual(await browser.read(), {})
  })

  test('no change of id revives a destroyed session', async ({ browser }) => {
    const before = await browser.logIn()
    const changes = await holdChanges(before)
    await browser.logOut()
    await assertAllGone(changes)
    assert.deepEqual(await before.read(), {})
  })

  for (const ending of ['revoke', 'revokeAll', 'revokeEverything'] as const) {
    testUnless(
      ['owners'],
      `no change of id revives a session that ${ending}() has ended`,
      async ({ browser, app, user }) => {
        const before = await browser.logIn()
        const { id } = (await before.send('id')).json()
        assert.equal(typeof id, 'string')
        const changes = await holdChanges(before)
        if (ending === 'revoke') await app.sessions.revoke(id)
        else if (ending === 'revokeAll') await app.sessions.revokeAll(user)
        else await endEverything(app, user)
        await assertAllGone(changes)
        assert.deepEqual(await before.read(), {})
        assert.deepEqual(await app.sessions.list(user), [])
      }
    )
  }

  test('a login that was ended is not confirmed', async ({ browser }) => {
    await browser.send('kit/login')
    const before = browser.copy()
    const confirmation = await browser.hold('kit/confirm')
    const logout = await before.send('kit/logout')
    assert.equal(logout.statusCode, 200)
    const reply = await confirmation.release()
    assert.equal(errorCode(reply), 'ERR_SESSION_GONE')
    assert.equal(setCookie(reply), undefined)
    assert.deepEqual(await browser.read(), {})
  })

  test('a logout is over when its handler goes on', async ({ browser }) => {
    await browser.send('kit/login')
    assert.notDeepEqual(await browser.read(), {}, 'a login creates a session')
    const before = browser.copy()
    await browser.send('kit/logout')
    assert.deepEqual(await before.read(), {})
  })

  test('a slow body does not pass a guard after the end of its session', async ({ browser, advance }) => {
    const before = await browser.logIn()
    const [inTime, destroyed] = [await browser.hold('guarded'), await before.hold('guarded')]
    assert.equal((await inTime.release()).statusCode, 200)
    await browser.logOut()
    advance(2)
    assert.equal((await destroyed.release()).statusCode, 401)
    await browser.logIn()
    const expired = await browser.hold('guarded')
    advance(IDLE + 1)
    assert.equal((await expired.release()).statusCode, 401)
  })

  testUnless(
    ['owners'],
    'a session that its owner ended elsewhere stays ended',
    async ({ browser, visit, app, user }) => {
      const before = await browser.logIn()
      const elsewhere = visit()
      await elsewhere.logIn()
      const writer = await before.hold('commit', { set: { late: 1 } })
      const { id } = (await elsewhere.send('id')).json()
      assert.equal(await app.sessions.revokeAll(user, { except: id }), 1)
      assert.equal(errorCode(await writer.release()), 'ERR_SESSION_GONE')
      assert.deepEqual(await before.read(), {})
      assert.deepEqual(await elsewhere.read(), { user })
    }
  )
}
