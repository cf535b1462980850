import t from 'tap'
import { CookieJar } from '../../lib/testing/cookie-jar.ts'

function replyOf(...lines: string[]): { headers: { 'set-cookie': string[] } } {
  return { headers: { 'set-cookie': lines } }
}

t.test('a cookie is sent until a reply sets or clears it', (t) => {
  const jar = new CookieJar()
  t.equal(jar.header(), '')
  t.equal(jar.get('a'), undefined)
  jar.take(replyOf('a=1; Path=/', 'b=2; Path=/; HttpOnly'))
  t.equal(jar.header(), 'a=1; b=2')
  jar.take(replyOf('a=3; Path=/; Max-Age=60'))
  t.equal(jar.get('a'), '3')
  t.equal(jar.get('b'), '2')
  jar.take(replyOf('b=; Path=/; Max-Age=0', 'a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT', 'c=; Max-Age=0'))
  t.equal(jar.header(), '')
  jar.take({ headers: {} })
  t.equal(jar.header(), '')
  t.end()
})

t.test('a cookie is sent to its path and to the paths below', (t) => {
  const jar = new CookieJar()
  jar.take(replyOf('root=1; Path=/', 'app=2; Path=/app', 'slash=3; Path=/dir/'))
  t.equal(jar.header('/'), 'root=1')
  t.equal(jar.header('/app'), 'app=2; root=1')
  t.equal(jar.header('/app/x'), 'app=2; root=1')
  t.equal(jar.header('/application'), 'root=1')
  t.equal(jar.header('/dir'), 'root=1')
  t.equal(jar.header('/dir/'), 'slash=3; root=1')
  t.equal(jar.header('/dir/x'), 'slash=3; root=1')
  t.equal(jar.header(), 'slash=3; app=2; root=1')
  t.end()
})

t.test('a cookie without Path belongs to the folder of the request', (t) => {
  const folders = { '/': '/', '/a': '/', '/a/': '/a', '/a/b': '/a', '/a/b/c': '/a/b' }
  for (const [pathname, folder] of Object.entries(folders)) {
    const jar = new CookieJar()
    jar.take(replyOf('x=1'), pathname)
    jar.take(replyOf(`x=2; Path=${folder}`))
    t.equal(jar.header(), 'x=2', `${pathname} belongs to ${folder}`)
  }
  t.end()
})

t.test('cookies of one name and different paths are different cookies', (t) => {
  const jar = new CookieJar()
  jar.take(replyOf('a=root; Path=/', 'a=app; Path=/app'))
  t.equal(jar.header('/app'), 'a=app; a=root')
  jar.take(replyOf('a=; Path=/app; Max-Age=0'))
  t.equal(jar.header('/app'), 'a=root')
  t.end()
})

t.test('a cookie that set adds is sent everywhere, until a reply sets one of its name', (t) => {
  const jar = new CookieJar('a=1;b=2 ; ; empty=')
  t.equal(jar.header('/x'), 'a=1; b=2; empty=')
  jar.set('c', '3')
  jar.take(replyOf('a=4; Path=/app', 'b=; Path=/app; Max-Age=0'))
  t.equal(jar.header('/x'), 'empty=; c=3')
  t.equal(jar.header('/app'), 'a=4; empty=; c=3')
  jar.take(replyOf('a=5; Path=/'))
  jar.set('a', '6')
  t.equal(jar.header('/app'), 'empty=; c=3; a=6', 'in place of all others of its name')
  t.end()
})
