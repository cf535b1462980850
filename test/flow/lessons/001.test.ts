import t from 'tap'
import { setCookieLines } from '../../../lib/testing/set-cookie.ts'
import { dataOf, openLesson } from '../../helpers/lesson.ts'

t.test('example 01 greets who has logged in, and nobody after the logout', async (t) => {
  const { visitor } = await openLesson('001')
  t.match(await visitor.get('/perfil'), { statusCode: 200, body: 'Nenhum usuário logado.' })
  t.match(await visitor.get('/logout'), { statusCode: 200, body: 'Usuário deslogado.' }, 'also of nobody')
  t.equal(visitor.jar.header(), '')
  t.match(await visitor.get('/login'), { statusCode: 200, body: 'Usuário logado!' })
  t.same(dataOf(visitor), { usuario: 'Maria' })
  t.match(await visitor.get('/perfil'), { statusCode: 200, body: 'Bem-vindo, Maria!' })
  t.match(await visitor.get('/logout'), { statusCode: 200, body: 'Usuário deslogado.' })
  t.match(await visitor.get('/perfil'), { body: 'Nenhum usuário logado.' })
})

t.test('example 02 lists every name that was added, escaped', async (t) => {
  const { visitor } = await openLesson('001')
  const first = await visitor.get('/')
  t.match(first, { statusCode: 200, headers: { 'content-type': 'text/html; charset=utf-8' } })
  t.match(first.body, /<form method="POST">[\s\S]*name="nome"[\s\S]*<ul><\/ul>/)
  t.match(await visitor.submit('/', {}), { statusCode: 400 })
  t.equal(visitor.jar.header(), '', 'a visitor in whose session is nothing has no cookie')
  for (const nome of ['Ana', '<img src=x onerror=alert(1)>', 'José & "Zé"']) {
    t.match(await visitor.submit('/', { nome }), { statusCode: 302, headers: { location: '/' } })
  }
  t.match(
    (await visitor.get('/')).body,
    '<ul><li>Ana</li><li>&#60;img src=x onerror=alert(1)&#62;</li><li>José &#38; &#34;Zé&#34;</li></ul>'
  )
})

t.test('the cookie grows with each name, until it would be too large', async (t) => {
  const { visitor } = await openLesson('001')
  let size = 0
  for (const nome of ['Ana', 'Bia', 'Caio', 'x'.repeat(2800)]) {
    await visitor.submit('/', { nome })
    const { length } = visitor.jar.header()
    t.ok(length > size, `${length} bytes`)
    size = length
  }
  t.match((await visitor.submit('/', { nome: 'y'.repeat(200) })).json(), { code: 'ERR_SESSION_TOO_LARGE' })
  t.equal(visitor.jar.header().length, size, 'what was there stays')
})

t.test('two idle minutes empty the list, and not a second less', async (t) => {
  const { clock, visitor } = await openLesson('001')
  const isListed = async (): Promise<boolean> => (await visitor.get('/')).body.includes('<li>Ana</li>')
  await visitor.submit('/', { nome: 'Ana' })
  for (const seconds of [119, 120, 1, 120]) {
    clock.advance(seconds)
    t.ok(await isListed(), `${seconds} seconds after the last request`)
  }
  clock.advance(121)
  t.notOk(await isListed(), '121 seconds after it')
})

t.test('the page with the list lets the cookie outlive the browser, for two minutes', async (t) => {
  const { visitor } = await openLesson('001')
  const [added = ''] = setCookieLines(await visitor.submit('/', { nome: 'Ana' }))
  t.notMatch(added, /Max-Age/)
  const [listed = ''] = setCookieLines(await visitor.get('/'))
  t.match(listed, /; Max-Age=120;/)
})
