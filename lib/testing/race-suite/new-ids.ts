import assert from 'node:assert/strict'
import type { Races } from './races.ts'
import { errorCode, setCookie } from './reply.ts'
import { IDLE } from './site.ts'

/** Sessions that get a new id while requests use the old one. No step of the store needs to be atomic. */
export function testNewIds({ test }: Races): void {
  test('a new id keeps what was written under the old id', async ({ browser }) => {
    await browser.write({ cart: 1 })
    const before = browser.copy()
    const login = await browser.hold('renew', { set: { user: 'ada' } })
    assert.equal((await before.write({ cart: 2, added: 1 })).statusCode, 200)
    await login.release()
    assert.deepEqual(await browser.read(), { cart: 2, added: 1, user: 'ada' })
    assert.deepEqual(await before.read(), {}, 'the old id opens nothing')
  })

  test('a request with the old id changes nothing after the new id exists', async ({ browser, advance }) => {
    await browser.write({ cart: 1 })
    const before = browser.copy()
    advance(IDLE / 2)
    const reader = await before.hold('read')
    const writer = await before.hold('write', { set: { cart: 2 } })
    const commit = await before.hold('commit', { set: { cart: 2 } })
    const update = await before.hold('increment')
    const renewal = await before.hold('renew', { set: { user: 'mallory' } })
    await browser.send('renew', { set: { user: 'ada' } })
    for (const late of [reader, writer, renewal]) {
      const reply = await late.release()
      assert.equal(reply.statusCode, 200)
      assert.equal(setCookie(reply), undefined)
    }
    for (const late of [commit, update]) {
      const reply = await late.release()
      assert.equal(errorCode(reply), 'ERR_SESSION_GONE')
      assert.equal(setCookie(reply), undefined)
    }
    assert.deepEqual(await browser.read(), { cart: 1, user: 'ada' })
    assert.deepEqual(await before.read(), {})
  })

  test('a regenerated session receives no writes from the old session', async ({ browser }) => {
    await browser.write({ cart: 1, role: 'guest' })
    const before = browser.copy()
    const writer = await before.hold('commit', { set: { role: 'admin' } })
    const update = await before.hold('increment')
    await browser.send('regenerate', { keep: ['cart'] })
    assert.equal(errorCode(await writer.release()), 'ERR_SESSION_GONE')
    assert.equal(errorCode(await update.release()), 'ERR_SESSION_GONE')
    assert.deepEqual(await browser.read(), { cart: 1 })
    assert.deepEqual(await before.read(), {})
  })

  test('a request that comes with an old id stores nothing and sends no cookie', async ({ browser, advance }) => {
    await browser.write({ cart: 1 })
    const before = browser.copy()
    await browser.send('renew', { set: { user: 'ada' } })
    for (const [action, status] of [
      ['read', 200],
      ['write', 200],
      ['increment', 409],
      ['commit', 409]
    ] as const) {
      const reply = await before.send(action, { set: { cart: 2 } })
      assert.equal(reply.statusCode, status, action)
      assert.equal(setCookie(reply), undefined, action)
    }
    assert.deepEqual(await browser.read(), { cart: 1, user: 'ada' })
    advance(IDLE / 2)
    assert.notEqual(setCookie(await before.write({ cart: 3 })), undefined, 'after a while it begins a session')
  })

  test('a logout with an old id ends the login that has a new one', async ({ browser }) => {
    const before = await browser.logIn()
    await browser.send('renew')
    const after = browser.copy()
    assert.equal((await before.logOut()).statusCode, 200)
    assert.deepEqual(await after.read(), {})
  })

  test('a logout that began before a renewal and comes after it is final', async ({ browser }) => {
    const before = await browser.logIn()
    const logout = await before.hold('destroy')
    await browser.send('renew')
    const after = browser.copy()
    assert.equal((await logout.release()).statusCode, 200)
    assert.deepEqual(await after.read(), {})
  })

  test('a logout that ends before a renewal is final', async ({ browser }) => {
    const before = await browser.logIn()
    const renewal = await before.hold('renew', { set: { role: 'admin' } })
    await browser.logOut()
    const reply = await renewal.release()
    assert.equal(setCookie(reply), undefined)
    assert.deepEqual(await before.read(), {})
  })
}
