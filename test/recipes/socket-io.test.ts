import { io } from 'socket.io-client'
import t from 'tap'
import { browse } from '../helpers/page-programs.ts'
import { startRecipe } from './start.ts'

t.test('Socket.IO', async (t) => {
  const { url } = await startRecipe(t, 'socket-io')
  const send = browse(url)
  const open = async (headers: Record<string, string>) => {
    const socket = io(url, { extraHeaders: headers, forceNew: true, reconnection: false })
    t.teardown(() => socket.close())
    const outcome = new Promise<string>((resolve) => {
      socket.on('connect', () => resolve('connected'))
      socket.on('connect_error', ({ message }) => resolve(message))
    })
    const said = new Promise<string>((resolve) => socket.on('said', resolve))
    const ended = new Promise<string>((resolve) => socket.on('disconnect', resolve))
    return { socket, outcome: await outcome, said, ended }
  }
  t.equal((await open({})).outcome, 'Log in first.')
  const reply = await send('/login', { method: 'POST' })
  const cookie = reply.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  t.equal((await open({ cookie, origin: 'https://elsewhere.example' })).outcome, 'xhr poll error')

  const { socket, outcome, said, ended } = await open({ cookie, origin: 'http://127.0.0.1:3000' })
  t.equal(outcome, 'connected')
  socket.emit('say', 'hello')
  t.equal(await said, 'Ada: hello')
  await send('/logout', { method: 'POST' })
  t.equal(await ended, 'io server disconnect')
  t.equal((await open({ cookie })).outcome, 'Log in first.')
})
