import type { SpawnSyncReturns } from 'node:child_process'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as Tap from 'tap'
import t from 'tap'
import { FormBrowser } from '../../helpers/form-browser.ts'
import { startPageProgram } from '../../helpers/page-programs.ts'
import { blocks, isProgram, pageBlocks, ROOT, read } from '../../helpers/pages.ts'

const FILE = 'docs/tutorial.md'
const STEPS = read(FILE)
  .split(/^## (?=\d+\. )/m)
  .slice(1)
const LOVELACE = { name: 'ada', password: 'lovelace' }

/** The files that the page has shown up to a step, by name: the block after "as `page.ts`". */
function filesUntil(step: number): Record<string, string> {
  const shown = STEPS.slice(0, step).join('')
  return Object.fromEntries(
    [...shown.matchAll(/`(\w+\.ts)`:\n\n```ts\n([\s\S]*?)^```$/gm)]
      .map(([, name = '', code = '']) => [name, code])
      .filter(([name]) => name !== 'server.ts')
  )
}

/** Starts the program of a step and opens it in a new browser. */
async function open(
  t: Tap.Test,
  step: number,
  settings?: Record<string, string>
): Promise<(headers?: Record<string, string>) => FormBrowser> {
  const [program, ...others] = pageBlocks(STEPS[step - 1] ?? '').filter(isProgram)
  t.same(others, [], 'one program a step')
  const directory = join(t.testdirName, 'sessions')
  const code = (program?.code ?? '').replace("directory: 'sessions'", `directory: ${JSON.stringify(directory)}`)
  const url = await startPageProgram(t, code, settings, filesUntil(step))
  return (headers) => new FormBrowser(url, headers)
}

t.test('there are ten steps, each with a program', async (t) => {
  t.same(
    STEPS.map((step) => step.split('.', 1)[0]),
    ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10']
  )
  t.same(Object.keys(filesUntil(10)), ['page.ts', 'users.ts'])
})

t.test('the last step compiles with the settings of the page, and a misspelt key does not', async (t) => {
  const [program] = pageBlocks(STEPS[9] ?? '').filter(isProgram)
  const [settings = ''] = blocks(STEPS[0] ?? '', 'json')
  // Within the work tree, where the package finds itself by its name.
  const folder = t.testdir({ ...filesUntil(10), 'tsconfig.json': settings, 'server.ts': program?.code ?? '' })
  const compile = (): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/lib/tsc.js'), '-p', folder], { encoding: 'utf8' })
  t.match(compile(), { status: 0, stdout: '' })
  writeFileSync(
    join(folder, 'server.ts'),
    program?.code.replace('session.userId = userId', 'session.user = userId') ?? ''
  )
  t.match(compile().stdout, /'user' does not exist/)
})

t.test('1: a page', async (t) => {
  const newBrowser = await open(t, 1)
  t.equal((await newBrowser().send('/')).text, 'Hello, stranger.')
})

t.test('2: a session counts the visits of one browser', async (t) => {
  const newBrowser = await open(t, 2)
  const browser = newBrowser()
  t.equal((await browser.send('/')).text, 'Visit 1.')
  t.equal((await browser.send('/')).text, 'Visit 2.')
  t.equal((await newBrowser().send('/')).text, 'Visit 1.')
})

t.test('3: what visitors say is kept, and escaped', async (t) => {
  const browser = (await open(t, 3))()
  t.match((await browser.send('/')).text, 'Hello, stranger.')
  t.match(await browser.send('/', { name: '<b>Ada</b>' }), { status: 303, location: '/' })
  t.match((await browser.send('/')).text, 'Hello, &#60;b&#62;Ada&#60;/b&#62;.')
})

t.test('4: a message is shown once', async (t) => {
  const browser = (await open(t, 4))()
  await browser.send('/', { name: 'Ada' })
  t.match((await browser.send('/')).text, '<p>Saved.</p><p>Hello, Ada.</p>')
  t.match((await browser.send('/')).text, '<p></p><p>Hello, Ada.</p>')
})

t.test('5: a login has a new id, and refuses what is wrong', async (t) => {
  const browser = (await open(t, 5))()
  t.match((await browser.send('/')).text, 'Hello, stranger.')
  for (const wrong of [
    { ...LOVELACE, name: 'nobody' },
    { ...LOVELACE, password: 'byron' }
  ]) {
    t.equal((await browser.send('/login', wrong)).location, '/login')
    t.match((await browser.send('/login')).text, 'Wrong name or password.')
  }
  t.notMatch((await browser.send('/login')).text, 'Wrong')
  t.equal((await browser.send('/login', LOVELACE)).location, '/')
  t.match((await browser.send('/')).text, 'Hello, ada.')
})

t.test('6: a page for members', async (t) => {
  const browser = (await open(t, 6))()
  const refused = await browser.send('/orders')
  t.equal(refused.status, 401)
  t.match(refused.text, 'ERR_SESSION_LOGIN_REQUIRED')
  t.equal((await browser.send('/login', LOVELACE)).location, '/orders')
  t.match((await browser.send('/orders')).text, 'ada has no orders yet.')
})

t.test('7: to the login, and back, and never elsewhere', async (t) => {
  const newBrowser = await open(t, 7)
  const browser = newBrowser()
  t.match(await browser.send('/orders'), { status: 302, location: '/login' })
  t.equal((await browser.send('/login', { ...LOVELACE, password: 'byron' })).location, '/login')
  t.equal((await browser.send('/login', LOVELACE)).location, '/orders')
  t.match((await browser.send('/orders')).text, 'ada has no orders yet.')
  t.equal((await newBrowser().send('/login?next=https://evil.example', LOVELACE)).location, '/')
  t.equal((await newBrowser().send('/login?next=/orders', LOVELACE)).location, '/orders')
})

t.test('8: a logout, and no other site can cause it', async (t) => {
  const newBrowser = await open(t, 8)
  const browser = newBrowser()
  await browser.send('/login', LOVELACE)
  t.match((await browser.send('/logout')).text, '<button>Log out</button>')
  t.match((await browser.send('/orders')).text, 'ada has no orders yet.', 'a link changes nothing')
  t.equal((await newBrowser({ 'sec-fetch-site': 'cross-site' }).send('/logout', {})).status, 403)
  t.equal((await browser.send('/logout', {})).location, '/')
  t.equal(browser.cookies.size, 0)
  t.equal((await browser.send('/orders')).location, '/login')
})

t.test('9: every device is listed, and is logged out', async (t) => {
  const newBrowser = await open(t, 9)
  const [laptop, phone] = [newBrowser(), newBrowser()]
  for (const browser of [laptop, phone]) t.equal((await browser.send('/login', LOVELACE)).location, '/')
  const page = await laptop.send('/devices')
  t.equal(page.text.match(/<li>/g)?.length, 2)
  t.equal(page.text.match(/this one/g)?.length, 1)
  t.equal((await laptop.send('/devices', {})).location, '/')
  for (const browser of [laptop, phone]) t.equal((await browser.send('/devices')).location, '/login?next=%2Fdevices')
})

t.test('10: in production the cookie belongs to this host, and HTTPS comes from the proxy', async (t) => {
  const secrets = [randomBytes(32), randomBytes(32)].map((bytes) => bytes.toString('hex')).join(',')
  const browser = (await open(t, 10, { NODE_ENV: 'production', SESSION_SECRET: secrets }))({
    'x-forwarded-proto': 'https'
  })
  t.equal((await browser.send('/health')).text, 'ok')
  const { location } = await browser.send('/orders')
  t.equal((await browser.send(location, LOVELACE)).location, '/orders')
  t.same([...browser.cookies.keys()], ['__Host-session'])
  t.match((await browser.send('/orders')).text, 'ada has no orders yet.')
  t.equal((await browser.send('/logout', {})).location, '/')
  t.equal(browser.cookies.size, 0)
})
