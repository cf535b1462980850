import t from 'tap'
import { createClient } from '../../../lib/testing/create-client.ts'
import { createApp } from '../../helpers/app.ts'
import { dataOf, openLesson } from '../../helpers/lesson.ts'

t.test('without a login there is the form, and every page leads to it', async (t) => {
  const { visitor } = await openLesson('000')
  const form = await visitor.get('/login')
  t.match(form, { statusCode: 200, headers: { 'content-type': 'text/html; charset=utf-8' } })
  t.match(form.body, /<form method="POST" action="\/login_submit">/)
  t.match(form.body, /name="username"/)
  t.match(form.body, /type="password" name="password"/)
  for (const page of ['/dashboard', '/perfil']) {
    t.match(await visitor.get(page), { statusCode: 302, headers: { location: '/login' } }, page)
  }
  t.equal(visitor.jar.header(), '')
})

t.test('a wrong name or password is answered by 401', async (t) => {
  const { app, visitor } = await openLesson('000')
  for (const fields of [{}, { username: 'admin' }, { username: 'admin', password: '124' }, { password: '123' }]) {
    t.match(await visitor.submit('/login_submit', fields), { statusCode: 401, body: 'Login inválido' })
  }
  t.match(await app.inject({ method: 'POST', url: '/login_submit' }), { statusCode: 401 }, 'not even a form')
  t.equal(visitor.jar.header(), '')
})

t.test('a login stores three keys, which pages read until the logout', async (t) => {
  const { visitor } = await openLesson('000')
  const login = await visitor.submit('/login_submit', { username: 'admin', password: '123' })
  t.match(login, { statusCode: 302, headers: { location: '/dashboard' } })
  t.same(dataOf(visitor), { username: 'admin', userId: 12345, role: 'admin' })
  t.match(await visitor.get('/dashboard'), { statusCode: 200, body: 'Bem-vindo, admin! Seu ID é: 12345' })
  t.match(await visitor.get('/perfil'), { statusCode: 200, body: 'Seu perfil. Cargo: admin' })
  t.match(await visitor.get('/logout'), { statusCode: 302, headers: { location: '/login' } })
  t.equal(visitor.jar.header(), '')
  t.match(await visitor.get('/dashboard'), { statusCode: 302, headers: { location: '/login' } })
})

t.test('a session without a role has the default one, and a hostile name is escaped', async (t) => {
  const { app, clock } = await openLesson('000')
  // With the same secret another application can make sessions for this one.
  const maker = await createApp({ clock: clock.now })
  maker.app.get('/', async ({ session }) => {
    Object.assign(session, { username: `<script>alert('1')</script>`, userId: 1 })
    return ''
  })
  const other = await createClient(maker.app)
  await other.get('/')
  const headers = { cookie: other.jar.header() }
  t.equal((await app.inject({ url: '/perfil', headers })).body, 'Seu perfil. Cargo: visitante')
  t.equal(
    (await app.inject({ url: '/dashboard', headers })).body,
    'Bem-vindo, &#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62;! Seu ID é: 1'
  )
})
