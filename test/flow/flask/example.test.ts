import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { Client } from '../../../lib/testing/create-client.ts'
import { hasPython, PYTHON, startFlask } from '../../helpers/flask.ts'
import { FormBrowser } from '../../helpers/form-browser.ts'
import { startProgram } from '../../helpers/program.ts'

const EXAMPLE = join(import.meta.dirname, '../../../example/flask')
const SECRET_KEY = 'tests only: 9f0c1d5be7a24386'

interface Example {
  buildApp(options: { secretKey: string; flask: string; clock: () => number }): Promise<FastifyInstance>
}

if (hasPython(t, 'the example beside Flask', 'flask')) {
  t.test('`npm run start:beside-flask` serves Flask and Fastify behind one port, and ends both', async (t) => {
    const program = await startProgram(['--import', 'tsx', 'example/flask/server.ts'], { PYTHON })
    const urls = program.lines.map((line) => line.replace(/.* /, ''))
    const both = await program.line((line) => line.startsWith('Both listen on '))
    const browser = new FormBrowser(both.replace(/.* /, ''))
    t.match(await browser.send('/login', { name: 'Ada' }), { status: 303, location: '/' })
    t.match((await browser.send('/')).text, /comes from <strong>Flask.*You are <strong>Ada.*Flask has logged you in/s)
    t.match(await browser.send('/cart', { item: 'pear' }), { status: 303, location: '/cart' })
    t.match((await browser.send('/cart')).text, /comes from <strong>Fastify.*You are <strong>Ada.*1 × pear/s)
    t.match((await browser.send('/')).text, /<li>1 × pear/)
    t.match(await browser.send('/cart/logout', {}), { status: 303 })
    t.match((await browser.send('/')).text, /Log in in Flask/)
    await browser.send('/login', { name: 'Grace' })
    await browser.send('/logout', {})
    t.match((await browser.send('/cart')).text, /Nobody is logged in/)
    t.equal(await program.stop(), 0)
    for (const url of urls.slice(0, 1)) await t.rejects(fetch(url))
  })

  t.test('a reply of Flask has no cookie from here, even if one is due', async (t) => {
    // By a name that the compiler does not follow: it sees the built package.
    const { buildApp } = (await import(join(EXAMPLE, 'app.ts'))) as Example
    const flask = await startFlask(t, join(EXAMPLE, 'app.py'), { SECRET_KEY, PORT: '0' })
    let ahead = 0
    const app = await buildApp({ secretKey: SECRET_KEY, flask, clock: () => Date.now() + ahead })
    t.teardown(() => app.close())
    const client = new Client(app)
    await client.post('/cart', { payload: { item: 'apple' } })
    ahead = 3600 * 1000
    const form = { payload: 'name=Ada', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
    const login = await client.post('/login', form)
    t.equal([login.headers['set-cookie']].flat().length, 1)
    t.match((await client.get('/cart')).body, /You are <strong>Ada.*1 × apple/s)
  })
}
