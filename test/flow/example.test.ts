import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type * as Tap from 'tap'
import t from 'tap'
import type { SessionStore } from '../../lib/index.ts'
import { MemoryStore } from '../../lib/index.ts'
import { Client } from '../../lib/testing/create-client.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { SECRET, START } from '../helpers/app.ts'
import { colorsOf, contrast } from '../helpers/contrast.ts'
import { blocks, ROOT, read } from '../helpers/pages.ts'
import { startProgram } from '../helpers/program.ts'
import { rememberScrypt } from '../helpers/remember-scrypt.ts'

interface Example {
  buildApp(options: { secret: string; store: SessionStore; clock?: () => number }): Promise<FastifyInstance>
}

rememberScrypt()

// By a name that the compiler does not follow: the example sees the built package, these tests its sources.
const load = (file: string): Promise<unknown> => import(String(new URL(`../../example/${file}`, import.meta.url)))
const { buildApp } = (await load('app.ts')) as Example
const { describeBrowser } = (await load('describe-browser.ts')) as {
  describeBrowser(request: { headers: object }): object
}

const MODES = ['signed', 'encrypted', 'stored'] as const
const BROWSER = { accept: 'text/html', 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Firefox/130.0' }
const PAGES = ['', 'login', 'cart', 'names', 'migration', 'inspector', 'staff/login']
const GUARDED = ['dashboard', 'devices']
const FORMS = [
  ...['login', 'logout', 'cart/add', 'cart/remove', 'names', 'names/clear', 'migration'],
  ...[
    'staff/login',
    'staff/logout',
    'devices/log-out-others',
    'devices/log-out-everywhere',
    'devices/token',
    'admin/log-everybody-out',
    'admin/act-as',
    'stop-acting'
  ]
]
const STORED_FORMS = ['devices/revoke', 'admin/revoke']

/** Somebody at a browser, who fills in forms that they were shown. */
class Guest extends Client {
  readonly #home: string

  constructor(app: FastifyInstance, mode: string) {
    super(app)
    this.#home = `/${mode}/`
  }

  open(page: string, headers: Record<string, string> = BROWSER): Promise<LightMyRequestResponse> {
    return this.inject({ method: 'GET', url: this.#home + page, headers })
  }

  /** Sends a form of a page, and gives the answer. */
  async fill(page: string, action: string, fields: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    const { body } = await this.open(page)
    const form = new RegExp(`<form method="post"( action="${this.#home}${action}")?>\\s*<input [^>]*value="([^"]+)"`)
    const [, given, token = ''] = form.exec(body) ?? []
    // A form without an action is sent to the URL of its page.
    return this.send(given === undefined ? page : action, { _csrf: token, ...fields })
  }

  send(action: string, fields: Record<string, string>): Promise<LightMyRequestResponse> {
    return this.inject({
      method: 'POST',
      url: this.#home + action,
      headers: { ...BROWSER, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams(fields).toString()
    })
  }

  login(fields: Record<string, string> = {}, page = 'login'): Promise<LightMyRequestResponse> {
    return this.fill(page, 'login', { username: 'ada', password: 'analytical engine', ...fields })
  }
}

async function open(t: Tap.Test, mode: string) {
  const clock = new FakeClock(START)
  const store = new MemoryStore({ clock: clock.now, pruneInterval: 0 })
  const app = await buildApp({ secret: SECRET, store, clock: clock.now })
  t.teardown(() => app.close())
  return { app, clock, store, guest: new Guest(app, mode), arrive: () => new Guest(app, mode) }
}

/** What is wrong with a page that anybody can see without a browser. */
function flawsOf(body: string): string[] {
  const all = (pattern: RegExp): string[] => [...body.matchAll(pattern)].map(([, found = '']) => found)
  const ids = all(/ id="([^"]*)"/g)
  const labelled = [...all(/<label for="([^"]*)"/g), ...all(/ aria-labelledby="([^"]*)"/g)]
  const inputs = all(/<input ((?![^>]*type="hidden")[^>]*)>/g)
  return [
    ...all(/(<style|\sstyle=|\son\w+=|javascript:)/g),
    ...all(/<script([^>]*)>/g).filter((attributes) => attributes !== ' type="module" src="/public/countdown.js"'),
    ...ids.filter((id, index) => ids.indexOf(id) !== index),
    ...labelled.filter((id) => !ids.includes(id)).map((id) => `nothing has the id ${id}`),
    ...inputs.filter(
      (input) => !labelled.some((id) => input.includes(` id="${id}"`) || input.startsWith(`id="${id}"`))
    ),
    ...(all(/(<h1>)/g).length === 1 ? [] : ['not one h1']),
    ...(all(/(<main )/g).length === 1 ? [] : ['not one main']),
    ...(/^<!doctype html>\n<html lang="en">/.test(body) ? [] : ['no language'])
  ]
}

for (const mode of MODES) {
  t.test(`every page with ${mode} sessions keeps to the policy, and is well made`, async (t) => {
    const { guest } = await open(t, mode)
    await guest.login()
    for (const page of [...PAGES, ...GUARDED, 'admin', 'nothing-here']) {
      const { statusCode, headers, body } = await guest.open(page)
      t.equal(statusCode, page === 'nothing-here' ? 404 : 200, page)
      t.equal(headers['content-type'], 'text/html; charset=utf-8', page)
      t.equal(headers['cache-control'], 'no-store', page)
      t.match(headers['content-security-policy'], "default-src 'none';script-src 'self';style-src 'self'", page)
      t.notMatch(headers['content-security-policy'], 'unsafe', page)
      t.same(flawsOf(body), [], page)
    }
    t.match((await guest.open('names')).body, `<a href="/${mode}/names" aria-current="page">Names</a>`)
    for (const other of MODES) {
      const current = other === mode ? ' aria-current="true"' : ''
      t.match((await guest.open('names?x=1')).body, `<a href="/${other}/names"${current}>`)
    }
  })

  t.test(`with ${mode} sessions visits are counted, and a look around begins none`, async (t) => {
    const { guest } = await open(t, mode)
    for (const page of ['inspector', 'time-left', 'nothing-here']) await guest.open(page)
    t.equal(guest.jar.header(), '')
    for (const visits of [1, 2, 3]) t.match((await guest.open('')).body, `<strong id="visits">${visits}</strong>`)
    t.match(guest.jar.header(), new RegExp(`^${mode}-session=[^;]+$`))
  })

  t.test(`a page for members of the ${mode} site sends to the login, and is come back to`, async (t) => {
    const { guest } = await open(t, mode)
    const loginFor = (page: string): string => (mode === 'stored' ? `login?next=%2F${mode}%2F${page}` : 'login')
    for (const page of GUARDED) {
      t.match(await guest.open(page), { statusCode: 302, headers: { location: `/${mode}/${loginFor(page)}` } })
      t.match((await guest.open(loginFor(page))).body, `Log in to see your ${page}.`)
    }
    t.equal((await guest.open('devices', { accept: 'application/json' })).statusCode, 401)
    const before = guest.jar.get(`${mode}-session`)
    t.equal((await guest.login({ password: 'wrong' }, loginFor('devices'))).statusCode, 401)
    const entered = await guest.login({}, loginFor('devices'))
    t.match(entered, { statusCode: 303, headers: { location: `/${mode}/devices` } }, 'also after a mistake')
    t.not(guest.jar.get(`${mode}-session`), before)
    const { body } = await guest.open('dashboard')
    t.match(body, '<h1>Hello, Ada Lovelace</h1>')
    t.match(body, 'Welcome, Ada Lovelace.')
    t.match(body, /<dd id="login">with your password/)
    t.notMatch((await guest.open('dashboard')).body, 'Welcome', 'a message is shown once')
  })

  t.test(`with ${mode} sessions a login goes on with what was there, and a logout leaves nothing behind`, async (t) => {
    const { guest } = await open(t, mode)
    await guest.open('')
    await guest.fill('cart', 'cart/add', { product: 'tape' })
    await guest.login()
    t.match(
      (await guest.open('dashboard')).body,
      /Visits to the start page<\/dt><dd>1<[\s\S]*In your cart<\/a><\/dt><dd>1</
    )
    t.match(await guest.fill('', 'logout'), { statusCode: 303, headers: { location: `/${mode}/` } })
    const { body } = await guest.open('')
    t.match(body, 'You are logged out.')
    t.match(body, '<strong id="visits">1</strong>')
    t.equal((await guest.open('dashboard')).statusCode, 302)
  })

  t.test(
    `a login to the ${mode} site does not tell what was wrong, and everybody on the page can log in`,
    async (t) => {
      const { guest, arrive } = await open(t, mode)
      const page = (await guest.open('login')).body
      const wrong = [
        await guest.login({ password: 'wrong' }),
        await guest.login({ username: 'nobody' }),
        await guest.login({ username: '"><b>', password: '' })
      ]
      for (const { statusCode, body } of wrong) {
        t.equal(statusCode, 401)
        t.match(body, '<p class="error" role="alert" id="login-error">The name or the password is wrong.</p>')
        t.match(body, 'aria-invalid="true" aria-describedby="login-error"')
        t.same(flawsOf(body), [])
      }
      t.match(wrong[2]?.body, 'value="&#34;&#62;&#60;b&#62;"')
      const known = [...page.matchAll(/<dt><code>([^<]*)<\/code><\/dt><dd><code>([^<]*)<\/code>/g)]
      t.equal(known.length, 2)
      for (const [, username = '', password = ''] of known) {
        t.equal((await arrive().login({ username, password })).statusCode, 303, username)
      }
    }
  )

  t.test(`no form of the ${mode} site is taken without its token`, async (t) => {
    const { app, guest } = await open(t, mode)
    const routes = app.printRoutes({ commonPrefix: false })
    // Browsers call two routes of each site by themselves, to bind a session to a device.
    const count = (FORMS.length + 2) * MODES.length + STORED_FORMS.length
    t.equal(routes.match(/\(.*POST.*\)/g)?.length, count)
    const forms = mode === 'stored' ? [...FORMS, ...STORED_FORMS] : FORMS
    for (const action of forms) {
      t.match(await guest.send(action, {}), { statusCode: 403, body: /<h1>This form is out of date<\/h1>/ }, action)
    }
    await guest.login()
    for (const action of forms) {
      const { statusCode, body } = await guest.send(action, { _csrf: 'x' })
      t.equal(statusCode, 403, action)
      t.same(flawsOf(body), [], action)
    }
    t.equal((await guest.open('dashboard')).statusCode, 200, 'nobody was logged out')
  })

  t.test(`with ${mode} sessions a cart is filled and emptied`, async (t) => {
    const { guest } = await open(t, mode)
    const counts = async (): Promise<string[]> =>
      [...(await guest.open('cart')).body.matchAll(/<span>(.*)<\/span> <strong>(\d+)</g)].map(
        ([, name, count]) => `${count} ${name}`
      )
    for (const product of ['cards', 'valve', 'cards']) await guest.fill('cart', 'cart/add', { product })
    t.same(await counts(), ['2 Punched cards, a hundred', '1 Vacuum tube, tested'])
    for (const product of ['cards', 'valve', 'tape']) await guest.fill('cart', 'cart/remove', { product })
    t.same(await counts(), ['1 Punched cards, a hundred'])
    t.equal((await guest.fill('cart', 'cart/add', { product: '__proto__' })).statusCode, 400)
  })

  t.test(`with ${mode} sessions names are gone after five minutes, and the countdown does not keep them`, async (t) => {
    const { clock, guest } = await open(t, mode)
    for (const name of ['Ada', '<Grace>', ' ']) await guest.fill('names', 'names', { name })
    t.match((await guest.open('names')).body, '<ol id="names"><li>Ada</li><li>&#60;Grace&#62;</li></ol>')
    const left = async (): Promise<unknown> => (await guest.open('time-left')).json().seconds
    for (const seconds of [300, 200, 100, 0]) {
      t.equal(await left(), seconds)
      clock.advance(seconds === 0 ? 1 : 100)
    }
    t.equal(await left(), null)
    t.match((await guest.open('names')).body, 'Nobody yet.')
    t.equal(await left(), 300)
    clock.advance(100)
    await guest.open('names')
    t.equal(await left(), 300, 'a page does')
    await guest.fill('names', 'names', { name: 'Ada' })
    await guest.fill('names', 'names/clear')
    t.match((await guest.open('names')).body, 'Nobody yet.')
  })

  t.test(`with ${mode} sessions the inspector shows one grow, without being activity`, async (t) => {
    const { clock, guest } = await open(t, mode)
    const sizes = async (): Promise<number[]> => {
      const { body } = await guest.open('inspector')
      return ['cookie-size', 'data-size'].map((id) => Number(new RegExp(`id="${id}">(\\d+)`).exec(body)?.[1]))
    }
    await guest.fill('names', 'names', { name: 'Ada' })
    const [cookie = 0, data = 0] = await sizes()
    await guest.fill('names', 'names', { name: 'Grace' })
    const [cookieThen = 0, dataThen = 0] = await sizes()
    t.ok(dataThen > data)
    if (mode === 'stored') t.equal(cookieThen, cookie)
    else t.ok(cookieThen > cookie)
    t.match((await guest.open('inspector')).body, `<code>POST /${mode}/names</code>`)
    clock.advance(300)
    await guest.open('inspector')
    clock.advance(1)
    t.match((await guest.open('inspector')).body, mode === 'stored' ? 'not-found' : 'expired-idle')
  })

  t.test(`with ${mode} sessions one of before a deploy is migrated once, and then both servers take it`, async (t) => {
    const { guest, arrive } = await open(t, mode)
    const seen = async (): Promise<{ yesterday: object; today: object; why: string | undefined }> => {
      const { body } = await guest.open('migration')
      t.same(flawsOf(body), [])
      const [, yesterday = '', today = ''] =
        /<code id="yesterday">([^<]*)<\/code>[\s\S]*<code id="today">([^<]*)<\/code>/.exec(body) ?? []
      const parse = (text: string): object => JSON.parse(text.replaceAll('&#34;', '"'))
      return { yesterday: parse(yesterday), today: parse(today), why: /id="why">(.*)/.exec(body)?.[1] }
    }
    t.notMatch((await guest.open('migration')).body, 'id="today"', 'there is no session yet')
    await guest.fill('names', 'names', { name: 'Ada' })
    const before = guest.jar.get(`${mode}-session`)
    const reply = await guest.fill('migration', 'migration')
    t.match(reply, { statusCode: 303, headers: { location: `/${mode}/migration` } })
    t.equal([reply.headers['set-cookie']].flat().length, 1, 'only that server sends a cookie')

    const { yesterday, today, why } = await seen()
    t.match(yesterday, { basket: ['cards', 'tape', 'cards'], visits: 1 })
    t.notMatch(yesterday, { cart: {} })
    t.match(today, { cart: { cards: 2, tape: 1 }, visits: 1 })
    t.notOk('basket' in today || 'names' in today, 'the new session took the place of the old one')
    t.match(why, '<code>migrated</code>')
    const then = await seen()
    t.match(then.today, today)
    t.same(then.yesterday, then.today, 'data of a newer version stay as they are')
    t.notMatch(then.why, 'migrated')
    t.match((await guest.open('cart')).body, /Punched cards, a hundred<\/span> <strong>2</)

    const old = arrive()
    old.jar.set(`${mode}-session`, before ?? '')
    const { body } = await old.open('names')
    if (mode === 'stored') t.match(body, 'Nobody yet.', 'the old session has ended')
  })

  t.test(
    `more than 4096 bytes ${mode === 'stored' ? 'fit into a stored session' : `of a cookie are refused (${mode}), and what was there stays`}`,
    async (t) => {
      const { guest } = await open(t, mode)
      const codes = new Set<number>()
      let last = ''
      for (let name = 0; name < 40; name++) {
        const { statusCode, body } = await guest.fill('names', 'names', { name: `${name}`.padStart(100, 'x') })
        codes.add(statusCode)
        if (statusCode !== 303) last = body
      }
      if (mode === 'stored') {
        t.same([...codes], [303])
        return
      }
      t.same([...codes], [303, 413])
      t.match(last, '<h1>The cookie is full</h1>')
      t.same(flawsOf(last), [])
      const { body } = await guest.open('names')
      t.match(body, 'xx1</li>')
      t.notMatch(body, 'xx39</li>')
    }
  )
}

for (const mode of MODES) {
  t.test(`with ${mode} sessions an administrator acts as a user, and a program comes with a token`, async (t) => {
    const { app, guest } = await open(t, mode)
    const program = async (token: string): Promise<LightMyRequestResponse> =>
      app.inject({ url: `/${mode}/api/me`, headers: { authorization: `Bearer ${token}` } })
    await guest.login()
    await guest.fill('cart', 'cart/add', { product: 'cards' })
    const [, token = ''] = /id="token">([^<]+)</.exec((await guest.fill('devices', 'devices/token')).body) ?? []
    t.same((await program(token)).json(), { name: 'Ada Lovelace', roles: ['admin'] })
    t.equal((await program('guessed')).statusCode, 401)

    t.match(await guest.fill('admin', 'admin/act-as', { id: '1906' }), { statusCode: 303 })
    const { body } = await guest.open('cart')
    t.match(body, 'Ada Lovelace as Grace Hopper')
    t.notMatch(body, 'Punched cards, a hundred</span> <strong>')
    t.same(flawsOf(body), [])
    t.equal((await guest.open('admin')).statusCode, 403)
    t.equal((await guest.fill('devices', 'devices/token')).statusCode, 403)
    t.match(await guest.fill('cart', 'stop-acting'), { statusCode: 303 })
    t.match((await guest.open('cart')).body, 'Punched cards, a hundred</span> <strong>1')
    t.match((await guest.open('admin')).body, 'Act as Grace Hopper')
  })
}

t.test('a login is remembered where there is a store', async (t) => {
  const { clock, guest } = await open(t, 'stored')
  await guest.login({ remember: 'yes' })
  clock.advance(29 * 86_400)
  t.match((await guest.open('dashboard')).body, '<dd id="login">remembered by this browser</dd>')
  await guest.fill('', 'logout')
  t.equal((await guest.open('dashboard')).statusCode, 302)

  const { clock: later, guest: forgotten } = await open(t, 'stored')
  await forgotten.login()
  later.advance(301)
  t.equal((await forgotten.open('dashboard')).statusCode, 302, 'but only who asked for it')
})

for (const mode of ['signed', 'encrypted'] as const) {
  t.test(`with ${mode} sessions the site keeps who asks for it logged in, and says why nobody is listed`, async (t) => {
    const { clock, guest, arrive } = await open(t, mode)
    t.match((await guest.open('login')).body, 'Keep me logged in on this device for 30 days')
    t.match((await guest.login({ remember: 'yes' })).headers['set-cookie'], /session=.*; Max-Age=2592000;/)
    const other = arrive()
    t.notMatch((await other.login()).headers['set-cookie'], /Max-Age/)
    t.match((await guest.open('devices')).body, 'the server does not know which there are')
    clock.advance(301)
    t.equal((await other.open('dashboard')).statusCode, 302)
    clock.advance(30 * 86_400 - 301)
    t.equal((await guest.open('dashboard')).statusCode, 200)
    clock.advance(30 * 86_400 + 1)
    t.equal((await guest.open('dashboard')).statusCode, 302)
  })
}

for (const mode of ['signed', 'encrypted'] as const) {
  t.test(`with ${mode} sessions a user can log out everywhere, copies included`, async (t) => {
    const { app, guest, arrive } = await open(t, mode)
    const devices = [guest, arrive()] as const
    const isIn = async (device: Guest): Promise<boolean> => (await device.open('dashboard')).statusCode === 200
    for (const device of devices) await device.login()
    const [mine, second] = devices
    await mine.fill('devices', 'devices/log-out-others')
    t.match((await mine.open('devices')).body, 'All other sessions have ended.')
    t.same(await Promise.all(devices.map(isIn)), [true, false])
    await second.login()
    const thief = new Guest(app, mode)
    thief.jar.set(`${mode}-session`, second.jar.get(`${mode}-session`) ?? '')
    t.equal(await isIn(thief), true)
    await mine.fill('devices', 'devices/log-out-everywhere')
    t.match((await mine.open('')).body, 'You are logged out everywhere.')
    t.same(await Promise.all([...devices, thief].map(isIn)), [false, false, false])
  })
}

t.test('sessions are listed, and ended one by one, all others, or all', async (t) => {
  const { guest, arrive } = await open(t, 'stored')
  const devices = [guest, arrive(), arrive()] as const
  const isIn = async (device: Guest): Promise<boolean> => (await device.open('dashboard')).statusCode === 200
  for (const device of devices) await device.login()
  const [mine, second, third] = devices
  const list = (await mine.open('devices')).body
  t.equal(
    list.match(/<li>\n<h2>Last seen <time[\s\S]*?<p>Since <time[\s\S]*?<br>Firefox \d+ on Linux<\/p>/g)?.length,
    3
  )
  t.equal(list.match(/this device/g)?.length, 1)
  const handles = [...list.matchAll(/name="handle" value="([^"]+)"/g)].map(([, handle = '']) => handle)
  t.equal(handles.length, 2, 'one does not end oneself here')

  const stranger = arrive()
  await stranger.login({ username: 'grace', password: 'debugged a moth' })
  await stranger.login({ username: 'grace', password: 'debugged a moth' })
  const friend = arrive()
  await friend.login({ username: 'grace', password: 'debugged a moth' })
  await stranger.fill('devices', 'devices/revoke', { handle: handles[0] ?? '' })
  t.ok((await isIn(second)) && (await isIn(third)), 'those of others cannot be ended')

  t.match(await mine.fill('devices', 'devices/revoke', { handle: handles[0] ?? '' }), { statusCode: 303 })
  t.match((await mine.open('devices')).body, 'That session has ended.')
  t.equal([await isIn(second), await isIn(third)].filter(Boolean).length, 1)
  for (const device of [second, third]) await device.login({ remember: 'yes' })
  await mine.fill('devices', 'devices/log-out-others')
  t.match((await mine.open('devices')).body, '2 sessions have ended.')
  t.same(await Promise.all(devices.map(isIn)), [true, false, false])

  await second.login()
  await mine.fill('devices', 'devices/log-out-others')
  t.match((await mine.open('devices')).body, 'One session has ended.')
  await second.login({ remember: 'yes' })
  t.match(await mine.fill('devices', 'devices/log-out-everywhere'), {
    statusCode: 303,
    headers: { location: '/stored/' }
  })
  t.match((await mine.open('')).body, 'You are logged out everywhere.')
  t.same(await Promise.all(devices.map(isIn)), [false, false, false])
  t.ok((await isIn(stranger)) && (await isIn(friend)))
})

for (const mode of MODES) {
  t.test(`the staff of the ${mode} site logs in and out beside a customer`, async (t) => {
    const { guest } = await open(t, mode)
    await guest.login()
    t.match(
      (await guest.open('staff')).headers.location,
      new RegExp(`^/${mode}/staff/login`),
      'no user is of the staff'
    )
    const refused = await guest.fill('staff/login', 'staff/login', { password: 'analytical engine' })
    t.equal(refused.statusCode, 401)
    t.same(flawsOf(refused.body), [])
    const entered = await guest.fill('staff/login', 'staff/login', { password: 'trajectory' })
    t.match(entered, { statusCode: 303, headers: { location: `/${mode}/staff` } })
    const { body } = await guest.open('staff')
    t.match(body, /id="staff">Katherine Johnson<[\s\S]*id="customer">Ada Lovelace</)
    t.same(flawsOf(body), [])
    await guest.fill('', 'logout')
    t.match((await guest.open('staff')).body, 'id="customer">nobody<')
    await guest.login()
    await guest.fill('staff', 'staff/logout')
    t.equal((await guest.open('staff')).statusCode, 302)
    t.equal((await guest.open('dashboard')).statusCode, 200)
  })
}

t.test('an administrator sees the sessions of everybody, page by page, and ends one or all', async (t) => {
  const { guest: admin, arrive } = await open(t, 'stored')
  const isIn = async (guest: Guest): Promise<boolean> => (await guest.open('dashboard')).statusCode === 200
  await admin.login()
  const grace = arrive()
  await grace.login({ username: 'grace', password: 'debugged a moth', remember: 'yes' })
  for (let count = 0; count < 20; count++) await arrive().open('')
  t.match((await arrive().open('admin')).headers, { location: '/stored/login?next=%2Fstored%2Fadmin' })
  t.equal((await grace.open('admin')).statusCode, 403)

  const { body: first } = await admin.open('admin')
  t.match(first, '<strong id="count">22</strong>')
  t.equal(first.match(/<h2>/g)?.length, 20)
  t.match(first, /<h2>Ada Lovelace <span class="badge">this device/)
  t.match(first, '<h2>Grace Hopper</h2>')
  const [, next = ''] = /href="\/stored\/(admin\?cursor=[^"]+)"/.exec(first) ?? []
  const { body: second } = await admin.open(next)
  t.equal(second.match(/<h2>A visitor/g)?.length, 2)
  t.notMatch(second, 'Next page')
  t.match(await admin.open('admin?cursor=%27'), { statusCode: 400, body: /The cursor leads nowhere/ })

  const [, handle = ''] = /Grace Hopper[\s\S]*?name="handle" value="([^"]+)"/.exec(first) ?? []
  await admin.fill('admin', 'admin/revoke', { handle })
  t.match((await admin.open('admin')).body, /That session has ended[\s\S]*id="count">21</)
  t.equal(await isIn(grace), false, 'she is not remembered, either')

  await grace.login({ username: 'grace', password: 'debugged a moth', remember: 'yes' })
  t.match(await admin.fill('admin', 'admin/log-everybody-out'), { headers: { location: '/stored/' } })
  t.match((await admin.open('')).body, 'Everybody is logged out.')
  t.same(await Promise.all([admin, grace].map(isIn)), [false, false])
})

for (const mode of ['signed', 'encrypted'] as const) {
  t.test(`with ${mode} sessions an administrator cannot list them, and ends them all the same`, async (t) => {
    const { guest: admin, arrive } = await open(t, mode)
    await admin.login()
    const grace = arrive()
    await grace.login({ username: 'grace', password: 'debugged a moth' })
    t.match((await admin.open('admin')).body, 'There is no list here.')
    t.equal((await grace.open('admin')).statusCode, 403)
    await admin.fill('admin', 'admin/log-everybody-out')
    t.match((await admin.open('')).body, 'Everybody is logged out.')
    for (const guest of [admin, grace]) t.equal((await guest.open('dashboard')).statusCode, 302)
  })
}

t.test('the three sites know nothing of each other', async (t) => {
  const { app, guest } = await open(t, 'signed')
  await guest.login()
  for (const other of ['encrypted', 'stored']) {
    const visitor = new Guest(app, other)
    const value = guest.jar.get('signed-session') ?? ''
    for (const name of ['signed-session', `${other}-session`]) visitor.jar.set(name, value)
    t.equal((await visitor.open('dashboard')).statusCode, 302, other)
  }
})

t.test('what is not there has a page, wherever that is', async (t) => {
  const { app } = await open(t, 'signed')
  t.match(await app.inject('/'), { statusCode: 302, headers: { location: '/signed/' } })
  for (const url of ['/nothing', '/signed/nothing', '/stored/names/nothing', '/public/nothing']) {
    const { statusCode, headers, body } = await app.inject(url)
    t.equal(statusCode, 404, url)
    t.match(headers['content-type'], 'text/html', url)
    t.match(body, '<h1>There is no such page</h1>', url)
    t.same(flawsOf(body), [], url)
  }
})

t.test('a store that is down is a page that says so, and nobody is logged out', async (t) => {
  const { guest, store } = await open(t, 'stored')
  await guest.login()
  const { load } = store
  store.load = () => {
    throw new Error('down')
  }
  const { statusCode, headers, body } = await guest.open('dashboard')
  t.equal(statusCode, 503)
  t.equal(headers['retry-after'], '5')
  t.match(body, '<h1>We will be back in a moment</h1>')
  t.same(flawsOf(body), [])
  store.load = load
  t.equal((await guest.open('dashboard')).statusCode, 200)
})

t.test('its own files are there, and nothing else of it', async (t) => {
  const { app } = await open(t, 'signed')
  const files = readdirSync(join(ROOT, 'example/public'))
  t.same(files.sort(), ['countdown.js', 'icon.svg', 'style.css'])
  for (const file of files) t.equal((await app.inject(`/public/${file}`)).statusCode, 200, file)
  t.equal((await app.inject('/public/../users.ts')).statusCode, 404)
})

/** Text on what is behind it. */
const TEXTS = [
  ...['--paper', '--surface'].flatMap((behind) => ['--ink', '--muted', '--accent'].map((text) => [text, behind])),
  ['--on-accent', '--accent'],
  ['--on-soft', '--soft'],
  ['--on-alarm', '--alarm']
]
/** Edges of what can be used, and bars, which need less. */
const EDGES = [
  ['--control', '--paper'],
  ['--control', '--surface'],
  ['--accent', '--paper']
]

t.test('text and controls have the contrast of WCAG AA, in light and in dark', async (t) => {
  const style = read('example/public/style.css')
  for (const [scheme, colors] of Object.entries(colorsOf(style))) {
    for (const [pairs, least] of [
      [TEXTS, 4.5],
      [EDGES, 3]
    ] as const) {
      for (const [one = '', other = ''] of pairs) {
        const ratio = contrast(colors[one] ?? '', colors[other] ?? '')
        t.ok(ratio >= least, `${scheme}: ${one} on ${other} has ${ratio.toFixed(2)}`)
      }
    }
  }
  const rules = style.replace(/^:root \{[^}]*\}|:root \{[^}]*\}/gm, '')
  t.notMatch(rules, /#[0-9a-f]{3,8}\b|rgb|hsl/i, 'no other colours')
})

t.test('browsers have names that people know', async (t) => {
  for (const [userAgent, browser, system] of [
    ['Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0', 'Firefox 130', 'Linux'],
    [
      'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130 Safari/537 Edg/130',
      'Microsoft Edge 130',
      'Windows'
    ],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605 Version/17 Safari/605', 'Safari 17', 'macOS'],
    ['Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130 Mobile Safari/537', 'Chrome 130', 'Android'],
    [undefined, 'A browser', '']
  ] as const) {
    t.same(describeBrowser({ headers: { 'user-agent': userAgent } }), { browser, system })
  }
  t.ok(blocks(read('docs/login.md'), 'ts').includes(read('example/describe-browser.ts')), 'docs/login.md shows it')
})

t.test('a page for an error keeps the pages and the kinds of session, and needs no session', async (t) => {
  const { guest } = await open(t, 'encrypted')
  const { statusCode, body } = await guest.open('nothing-here')
  t.equal(statusCode, 404)
  t.match(body, '<a href="/encrypted/cart">Cart</a>')
  t.match(body, '<a href="/signed/nothing-here">Signed</a>')
  t.match(body, '<a href="/encrypted/nothing-here" aria-current="true">')
  t.equal(guest.jar.header(), '')
})

const SERVER = ['--import=tsx', 'example/server.ts']

t.test('in development a missing secret is replaced, and said so in one line', async (t) => {
  const { lines, stop } = await startProgram(SERVER)
  t.equal(await stop(), 0)
  t.equal(lines.filter((line) => line.includes('SESSION_SECRET')).length, 1)
  t.match(lines.at(-1), /Listening on http:\/\/127\.0\.0\.1:\d+/)
})

t.test('in production it starts with a secret', async (t) => {
  const { url, stop } = await startProgram(SERVER, { NODE_ENV: 'production', SESSION_SECRET: SECRET })
  t.match(await fetch(`${url}/stored/inspector`).then((reply) => reply.text()), '<h1>Session inspector</h1>')
  const { headers } = await fetch(`${url}/signed/`)
  t.match(headers.getSetCookie(), [/^__Host-signed-session=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/])
  t.equal(await stop(), 0)
})

t.test('in production a missing secret refuses to start', async (t) => {
  // It ends by itself: nothing else is waited for.
  const { lines, stop } = await startProgram(SERVER, { NODE_ENV: 'production' })
  t.equal(await stop(), 1)
  t.match(lines.join('\n'), /ERR_SESSION_SECRET_MISSING/)
})
