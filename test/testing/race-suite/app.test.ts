import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import type { Action, JobBody } from '../../../lib/testing/race-suite/app.ts'
import { createApp } from '../../../lib/testing/race-suite/app.ts'
import { Gates } from '../../../lib/testing/race-suite/gates.ts'

const secret = 'the app of a race suite, whose key nobody else has'

const gates = new Gates()
const store = new MemoryStore()
const app = await createApp({ secret, store }, gates, 'ada')

/** Sends requests one after the other, with the cookie that the replies set. */
function createSender() {
  let cookie = ''
  return async (action: Action, body: JobBody = {}): Promise<LightMyRequestResponse> => {
    const reply = await app.inject({ method: 'POST', url: `/${action}`, headers: { cookie }, payload: body })
    const [line] = [reply.headers['set-cookie']].flat()
    if (line !== undefined) cookie = line.split(';', 1)[0] as string
    return reply
  }
}

t.test('each action does what its name says', async (t) => {
  const send = createSender()
  const read = async (): Promise<unknown> => (await send('read')).json()
  const id = async (): Promise<string> => (await send('id')).json().id
  t.same((await send('write', { set: { a: 1, b: 2 } })).json(), {})
  await send('write', { unset: ['a'], permanent: true })
  t.same(await read(), { b: 2 })
  t.equal((await send('commit', { set: { c: 3 } })).statusCode, 200)
  t.same((await send('increment')).json(), { count: 1 })
  t.same((await send('increment')).json(), { count: 2 })
  await send('write', { set: { list: [1] } })
  await send('push', { set: { item: 2 } })
  t.same(await read(), { b: 2, c: 3, count: 2, list: [1, 2] })
  t.equal((await send('reload')).statusCode, 200)

  const first = await id()
  await send('renew', { set: { d: 4 } })
  const second = await id()
  t.not(second, first)
  t.match(await read(), { b: 2, d: 4 })
  await send('regenerate', { keep: ['d'] })
  t.not(await id(), second)
  t.same(await read(), { d: 4 })

  await send('login')
  t.same(await read(), { d: 4, user: 'ada' })
  t.equal((await app.sessions.list('ada')).length, 1)
  await send('destroy')
  t.same(await read(), {})
  t.same(await app.sessions.list('ada'), [])
})

t.test('a request that names a gate loads its session first, then waits there', async (t) => {
  const send = createSender()
  await send('write', { set: { a: 1 } })
  const gate = gates.add()
  const held = send('read', { gate })
  await gates.arrived(gate)
  await send('write', { set: { a: 2 } })
  gates.open(gate)
  t.same((await held).json(), { a: 1 })
  t.same((await send('read')).json(), { a: 2 })
})

t.test('the login kit and a guard are there as well', async (t) => {
  const send = createSender()
  const guarded = async (): Promise<number> => (await send('guarded')).statusCode
  t.equal(await guarded(), 401)
  await send('write', { set: { user: 'ada' } })
  t.equal(await guarded(), 200)
  await send('kit/login')
  t.equal((await send('kit/confirm')).statusCode, 200)
  t.equal((await send('kit/logout')).statusCode, 200)
  t.equal((await send('kit/confirm')).json().code, 'ERR_SESSION_LOGIN_REQUIRED')
  const gate = gates.add()
  const waiting = send('guarded', { gate })
  await gates.arrived(gate)
  gates.open(gate)
  t.equal((await waiting).statusCode, 401)
  const atLogin = gates.add()
  const login = send('kit/login', { gate: atLogin })
  await gates.arrived(atLogin)
  gates.open(atLogin)
  t.equal((await login).statusCode, 200)
})
