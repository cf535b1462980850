import t from 'tap'
import { setCookieLines } from '../../../lib/testing/set-cookie.ts'
import { dataOf, openLesson } from '../../helpers/lesson.ts'

t.test('what was set is read', async (t) => {
  const { visitor } = await openLesson('004')
  t.match(await visitor.get('/profile'), { statusCode: 200, body: 'Please log in' })
  t.equal(visitor.jar.header(), '')
  t.match(await visitor.get('/section-3/login'), { statusCode: 200, body: 'Logged in!' })
  t.same(dataOf(visitor), { userId: 123, username: 'john_doe' })
  t.match(await visitor.get('/profile'), { statusCode: 200, body: 'Hello, john_doe!' })
  t.match(await visitor.get('/dashboard'), { statusCode: 200, body: 'Welcome 123' })
})

t.test('visits are counted', async (t) => {
  const { visitor } = await openLesson('004')
  for (const visits of [1, 2, 3]) {
    t.match(await visitor.get('/visits'), { statusCode: 200, body: `You have visited ${visits} times` })
  }
})

t.test('a product can be put into the cart again, and beside others', async (t) => {
  const { visitor } = await openLesson('004')
  for (const id of [17, 17, 8]) {
    t.match(await visitor.get(`/add-to-cart/${id}`), { statusCode: 200, body: 'Added to cart' })
  }
  t.same(dataOf(visitor), { cart: { 8: 1, 17: 2 } })
  for (const id of ['seventeen', '-1', '__proto__']) {
    t.match(await visitor.get(`/add-to-cart/${id}`), { statusCode: 404 }, 'only the numbers of products')
  }
})

t.test('the complete example lets in and out', async (t) => {
  const { visitor } = await openLesson('004')
  const toForm = { statusCode: 302, headers: { location: '/login' } }
  t.match(await visitor.get('/dashboard'), toForm)
  const form = await visitor.get('/login')
  t.match(form, { statusCode: 200, headers: { 'content-type': 'text/html; charset=utf-8' } })
  t.match(form.body, /Login page[\s\S]*<form method="POST">[\s\S]*name="username"/)
  t.match(await visitor.submit('/login', { username: '' }), { statusCode: 200, body: 'Login failed' })
  t.match(await visitor.submit('/login', {}), { statusCode: 400 })
  t.equal(visitor.jar.header(), '')
  const login = await visitor.submit('/login', { username: '<b>ana</b>' })
  t.match(login, { statusCode: 302, headers: { location: '/dashboard' } })
  t.match(setCookieLines(login), [/; Max-Age=1800; Path=\/; HttpOnly; SameSite=Lax$/])
  t.same(dataOf(visitor), { userId: '<b>ana</b>', loggedIn: true })
  t.match(await visitor.get('/dashboard'), { statusCode: 200, body: 'Welcome &#60;b&#62;ana&#60;/b&#62;' })
  t.match(await visitor.get('/logout'), toForm)
  t.equal(visitor.jar.header(), '')
  t.match(await visitor.get('/dashboard'), toForm)
})

t.test('a session ends after half an hour without a visit, and after seven days with visits', async (t) => {
  const { clock, visitor } = await openLesson('004')
  const isIn = async (): Promise<boolean> => (await visitor.get('/dashboard')).statusCode === 200
  await visitor.submit('/login', { username: 'ana' })
  clock.advance(30 * 60)
  t.ok(await isIn())
  clock.advance(30 * 60 + 1)
  t.notOk(await isIn())

  await visitor.submit('/login', { username: 'ana' })
  for (let halfHours = 1; halfHours <= 7 * 48; halfHours++) {
    clock.advance(30 * 60)
    if (!(await isIn())) t.fail(`out after ${halfHours} half hours`)
  }
  clock.advance(1)
  t.notOk(await isIn())
})
