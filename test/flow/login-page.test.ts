import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { FormBrowser } from '../helpers/form-browser.ts'
import { blocks, read } from '../helpers/pages.ts'
import { startProgram } from '../helpers/program.ts'

t.test('the program of docs/login.md logs in, remembers, lists devices and ends them', async (t) => {
  const [program = ''] = blocks(read('docs/login.md'), 'ts')
  const file = join(t.testdir({ 'login.mts': program }), 'login.mts')
  const { url = '', stop } = await startProgram(['--import=tsx', file], {
    SESSION_SECRET: randomBytes(32).toString('hex')
  })
  t.teardown(stop)
  const [laptop, phone, stranger] = [new FormBrowser(url), new FormBrowser(url), new FormBrowser(url)]
  const password = { name: 'ada', password: 'lovelace' }

  t.equal((await laptop.send('/')).text, 'hello stranger\n')
  const { status, location } = await laptop.send('/me')
  t.same([status, location], [302, '/login?next=%2Fme'])
  t.match((await laptop.send('/login')).text, /name="password"/)
  t.equal((await laptop.send('/login', { name: 'ada', password: 'byron' })).status, 401)
  t.equal((await laptop.send('/login', { name: 'bob', password: 'lovelace' })).status, 401)
  t.match(await laptop.send(location, { ...password, remember: 'on' }), { status: 303, location: '/me' })
  t.equal((await laptop.send('/me')).text, 'you are ada\n')
  t.equal((await laptop.send('/')).text, 'hello ada\n')
  t.equal((await laptop.send('/admin')).text, 'ada may\n')

  laptop.cookies.delete('session')
  t.equal((await laptop.send('/')).text, 'hello ada\n', 'the browser was closed, and remembered')
  t.match(
    await laptop.send('/password', { password: 'new' }),
    { status: 303, location: '/login' },
    'a remembered login is not fresh'
  )

  await phone.send('/login', { ...password, remember: 'on' })
  const devices = JSON.parse((await phone.send('/devices')).text) as { handle: string; current: boolean }[]
  const others = devices.filter(({ current }) => !current)
  t.equal(others.length, 2, 'the two sessions of the laptop')
  t.equal((await stranger.send(`/devices/${others[0]?.handle}/end`, {})).status, 303)
  t.equal((await phone.send(`/devices/${others[0]?.handle}/end`, {})).status, 200)
  t.equal(
    (await phone.send(`/devices/${others[1]?.handle}/end`, {})).status,
    404,
    'what remembers a browser is one login'
  )
  t.equal((await laptop.send('/')).text, 'hello stranger\n', 'and nothing remembers it any more')

  await laptop.send('/login', { ...password, remember: 'on' })
  t.equal((await phone.send('/password', { password: 'new' })).text, '1 other devices logged out\n')
  t.equal((await phone.send('/')).text, 'hello ada\n')
  t.equal((await laptop.send('/')).text, 'hello stranger\n')
  await phone.send('/logout', {})
  t.equal((await phone.send('/')).text, 'hello stranger\n')
  t.same([...phone.cookies], [], 'nothing is left')
})
