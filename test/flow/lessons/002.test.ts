import { join } from 'node:path'
import t from 'tap'
import { setCookieLines } from '../../../lib/testing/set-cookie.ts'
import { SECRET } from '../../helpers/app.ts'
import { buildLesson, dataOf, openLesson, Reader } from '../../helpers/lesson.ts'

const HOSTILE = '<b>"Ana" & \'Bia\'</b>; é'
const ESCAPED = '&#60;b&#62;&#34;Ana&#34; &#38; &#39;Bia&#39;&#60;/b&#62;; é'

t.test('the session greets the name that the form sent, until the logout', async (t) => {
  const { visitor } = await openLesson('002')
  t.match(await visitor.get('/'), { statusCode: 200, body: 'Você não está logado.' })
  const form = await visitor.get('/login')
  t.match(form, { statusCode: 200, headers: { 'content-type': 'text/html; charset=utf-8' } })
  t.match(form.body, /<form method="POST">[\s\S]*name="username" placeholder="Digite seu nome"[\s\S]*value="Login"/)
  t.match(await visitor.submit('/login', {}), { statusCode: 400 })
  t.match(await visitor.submit('/login', { username: HOSTILE }), { statusCode: 302, headers: { location: '/' } })
  t.equal((await visitor.get('/')).body, `Bem-vindo, ${ESCAPED}!`)
  t.match(await visitor.get('/logout'), { statusCode: 302, headers: { location: '/' } })
  t.equal((await visitor.get('/')).body, 'Você não está logado.')
})

for (const [prefix, flags] of [
  ['/cookies', ''],
  ['/cookies/secure', '; HttpOnly; Secure']
] as const) {
  t.test(`the plain cookie of ${prefix}/ keeps the name for seven days`, async (t) => {
    const { visitor } = await openLesson('002')
    t.match(await visitor.get(`${prefix}/`), { statusCode: 200, body: 'Bem-vindo! Por favor, faça login.' })
    t.match((await visitor.get(`${prefix}/login`)).body, /<form method="POST">[\s\S]*name="username"/)
    t.match(await visitor.submit(`${prefix}/login`, {}), { statusCode: 400 })
    const login = await visitor.submit(`${prefix}/login`, { username: HOSTILE })
    t.match(login, { statusCode: 302, headers: { location: `${prefix}/` } })
    const value = encodeURIComponent(HOSTILE)
    t.same(setCookieLines(login), [`username=${value}; Max-Age=604800; Path=/${flags}; SameSite=Lax`])
    t.equal((await visitor.get(`${prefix}/`)).body, `Bem-vindo novamente, ${ESCAPED}!`)

    const logout = await visitor.get(`${prefix}/logout`)
    t.match(logout, { statusCode: 302, headers: { location: `${prefix}/` } })
    t.same(setCookieLines(logout), [`username=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT${flags}; SameSite=Lax`])
    t.equal(visitor.jar.header(), '')
    t.equal((await visitor.get(`${prefix}/`)).body, 'Bem-vindo! Por favor, faça login.')
  })
}

t.test('a plain cookie can be written by hand, a session cannot', async (t) => {
  const { app } = await openLesson('002')
  const headers = { cookie: 'username=admin; session=admin' }
  t.equal((await app.inject({ url: '/cookies/', headers })).body, 'Bem-vindo novamente, admin!')
  t.equal((await app.inject({ url: '/', headers })).body, 'Você não está logado.')
})

t.test('the questions of the lesson', async (t) => {
  await t.test('1: a session keeps data between the requests of one visitor', async (t) => {
    const { app, visitor } = await openLesson('002')
    await visitor.submit('/login', { username: 'Ana' })
    t.equal((await visitor.get('/')).body, 'Bem-vindo, Ana!')
    t.equal((await new Reader(app).get('/')).body, 'Você não está logado.', 'another visitor has another one')
  })

  await t.test('2: pop removes data from it', async (t) => {
    const { visitor } = await openLesson('002')
    await visitor.submit('/login', { username: 'Ana' })
    await visitor.get('/logout')
    t.equal(dataOf(visitor), undefined)
  })

  await t.test('3: a session is on the server if it has a store, a cookie is always with the client', async (t) => {
    const { visitor } = await openLesson('002')
    await visitor.submit('/login', { username: 'Ana' })
    t.same(dataOf(visitor), { username: 'Ana' }, 'by default the session is in a cookie, too')
    const stored = await buildLesson('003', { secret: SECRET }, join(t.testdir({}), 'sessions'))
    t.teardown(() => stored.close())
    const member = new Reader(stored)
    await member.submit('/login', { username: 'Ana' })
    t.equal(dataOf(member), undefined)
    t.match((await member.get('/example')).body, /Ana/)
  })

  await t.test('4: secure and httpOnly keep a cookie to HTTPS, and from scripts', async (t) => {
    const { visitor } = await openLesson('002')
    const [plain = ''] = setCookieLines(await visitor.submit('/cookies/login', { username: 'Ana' }))
    const [safe = ''] = setCookieLines(await visitor.submit('/cookies/secure/login', { username: 'Ana' }))
    t.notMatch(plain, /Secure|HttpOnly/)
    t.match(safe, /; HttpOnly; Secure;/)
  })

  await t.test('5: a session needs a secret', async (t) => {
    await t.rejects(buildLesson('002', { secret: undefined }), { code: 'ERR_SESSION_SECRET_MISSING' })
    for (const secret of ['sua_chave_secreta', 'uma_chave_secreta_muito_forte_e_dificil_de_adivinhar']) {
      await t.rejects(
        buildLesson('002', { secret }),
        { code: 'ERR_SESSION_SECRET_WEAK' },
        'not one that is in a lesson'
      )
    }
  })
})
