import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { blocks, read } from '../helpers/pages.ts'
import { startProgram } from '../helpers/program.ts'

/** A browser, as far as cookies go. */
class Browser {
  readonly cookies: Map<string, string> = new Map()
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async send(path: string, form?: Record<string, string>): Promise<{ status: number; location: string; text: string }> {
    // Not fetch, which says of itself that it does not navigate.
    const sent = request(this.#url + path, {
      method: form === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'text/html',
        cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' })
      }
    })
    sent.end(form === undefined ? '' : new URLSearchParams(form).toString())
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    for (const line of response.headers['set-cookie'] ?? []) {
      const [name = '', value = ''] = line.split(/[=;]/)
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    const { statusCode = 0, headers } = response
    return { status: statusCode, location: headers.location ?? '', text: await text(response) }
  }
}

t.test('the program of docs/login.md logs in, remembers, lists devices and ends them', async (t) => {
  const [program = ''] = blocks(read('docs/login.md'), 'ts')
  const file = join(t.testdir({ 'login.mts': program }), 'login.mts')
  const { url = '', stop } = await startProgram(['--import=tsx', file], {
    SESSION_SECRET: randomBytes(32).toString('hex')
  })
  t.teardown(stop)
  const [laptop, phone, stranger] = [new Browser(url), new Browser(url), new Browser(url)]
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
