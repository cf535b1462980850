import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type * as Tap from 'tap'
import t from 'tap'
import { SECRET } from '../../helpers/app.ts'
import { buildLesson, Reader } from '../../helpers/lesson.ts'

/** A folder that the store makes, and a visitor of the lesson that keeps its sessions there. */
async function open(t: Tap.Test, directory = join(t.testdir({}), 'sessions')) {
  const app = await buildLesson('003', { secret: SECRET }, directory)
  t.teardown(() => app.close())
  return { app, directory, visitor: new Reader(app) }
}

/** The sessions on the disk. */
function filesIn(directory: string): string[] {
  return readdirSync(join(directory, 'sessions'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
}

t.test('pages for members lead everybody else to the form, by GET and by POST', async (t) => {
  const { visitor } = await open(t)
  t.match((await visitor.get('/login')).body, /<form method="POST">[\s\S]*name="username"/)
  const toForm = { statusCode: 302, headers: { location: '/login' } }
  t.match(await visitor.get('/example'), toForm)
  t.match(await visitor.get('/search'), toForm)
  t.match(await visitor.submit('/search', { busca: 'vidas' }), toForm)
  t.equal(visitor.jar.header(), '')
})

t.test('after the login they are shown, and names and searches are escaped', async (t) => {
  const { visitor } = await open(t)
  t.match((await visitor.submit('/login', { username: '' })).body, /<form/, 'nobody cannot log in')
  t.match(await visitor.submit('/login', {}), { statusCode: 400 })
  const login = await visitor.submit('/login', { username: '<i>Ana</i>' })
  t.match(login, { statusCode: 302, headers: { location: '/example' } })
  t.match((await visitor.get('/example')).body, '&#60;i&#62;Ana&#60;/i&#62;')
  t.match((await visitor.get('/search')).body, /<form method="POST">[\s\S]*name="busca"/)
  t.match((await visitor.submit('/search', { busca: 'VIDAS' })).body, /1 de “VIDAS”: Vidas Secas/)
  t.match((await visitor.submit('/search', { busca: '<u>' })).body, /0 de “&#60;u&#62;”/)
  t.match(await visitor.submit('/search', {}), { statusCode: 400 })
})

t.test('the session is a file, in which the cookie is not', async (t) => {
  const { directory, visitor } = await open(t)
  await visitor.submit('/login', { username: 'Ana' })
  const [file = '', ...others] = filesIn(directory)
  t.same(others, [])
  const { mode } = statSync(file)
  t.equal(mode & 0o777, 0o600)
  const [, , data] = readFileSync(file, 'utf8').split('\n')
  t.equal(data, '{"username":"Ana"}')
  const [, id = ''] = visitor.jar.header().split('.')
  t.equal(id.length, 43)
  t.notOk((file + readFileSync(file, 'utf8')).includes(id))
  t.notOk(/Max-Age|Expires/.test(visitor.jar.header()), 'SESSION_PERMANENT = False')
})

t.test('it survives a restart, and no copy of its cookie survives the logout', async (t) => {
  const { app, directory, visitor } = await open(t)
  await visitor.submit('/login', { username: 'Ana' })
  const headers = { accept: 'text/html', cookie: visitor.jar.header() }
  await app.close()
  const restarted = await open(t, directory)
  t.match(await restarted.app.inject({ url: '/example', headers }), { statusCode: 200 })
  t.match(await restarted.app.inject({ url: '/logout', headers }), {
    statusCode: 302,
    headers: { location: '/login' }
  })
  t.same(filesIn(directory), [])
  t.match(await restarted.app.inject({ url: '/example', headers }), {
    statusCode: 302,
    headers: { location: '/login' }
  })
})
