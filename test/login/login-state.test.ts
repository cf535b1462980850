import t from 'tap'
import { clientOf, readLogin, writeLogin } from '../../lib/login/login-state.ts'
import type { RequestSession } from '../../lib/request/session.ts'
import { createApp } from '../helpers/app.ts'

t.test('a login is read as it was written, without undefined members', async (t) => {
  const { app } = await createApp()
  app.get('/', async (request) => {
    const session = request.session as unknown as RequestSession
    writeLogin(session, { id: '1', at: 7, hash: undefined, series: 'key' })
    t.equal(readLogin(session, undefined), undefined)
    session.setOwner('1')
    t.strictSame(readLogin(session, session.ownerId), { id: '1', at: 7, series: 'key' })
    t.strictSame(session.data(), { _login: { id: '1', at: 7, series: 'key' } })
    writeLogin(session, { id: '1' })
    t.strictSame(readLogin(session, '1'), { id: '1' })
    return ''
  })
  t.equal((await app.inject('/')).statusCode, 200)
})

t.test('only the owner of a session is logged in', async (t) => {
  t.strictSame(readLogin({ _login: { id: '1' } }, '1'), { id: '1' })
  t.equal(readLogin({ _login: { id: '1' } }, '2'), undefined)
  t.equal(readLogin({ _login: { id: '1' } }, undefined), undefined)
  for (const note of [undefined, null, '1', 1, true, [], ['1'], {}, { id: 1 }, { id: ['1'] }, { id: undefined }]) {
    t.equal(readLogin({ _login: note }, '1'), undefined, JSON.stringify(note))
    t.equal(readLogin({ _login: note }, undefined), undefined)
  }
  t.equal(readLogin({}, '1'), undefined)
  t.equal(readLogin({ login: { id: '1' } }, '1'), undefined)
})

t.test('a client is its address and its user agent, which may be absent', async (t) => {
  const clients = [clientOf('::1', 'a'), clientOf('::1', 'b'), clientOf('::2', 'a'), clientOf('::1')]
  t.equal(new Set(clients).size, clients.length)
  t.equal(clientOf('::1'), clientOf('::1', ''))
})

t.test('a client is the same in both spellings of an IPv4 address', async (t) => {
  t.equal(clientOf('::ffff:10.0.0.1', 'a'), clientOf('10.0.0.1', 'a'))
  t.not(clientOf('::ffff:10.0.0.2', 'a'), clientOf('10.0.0.1', 'a'))
  t.equal(clientOf(undefined, 'a'), clientOf('', 'a'), 'without a socket there is none')
})
