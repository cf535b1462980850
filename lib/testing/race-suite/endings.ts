import assert from 'node:assert/strict'
import type { Races } from './races.ts'
import { errorCode, setCookie } from './reply.ts'
import { IDLE } from './site.ts'

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
