import fastify from 'fastify'
import t from 'tap'
import type { SetCookie } from '../../lib/testing/set-cookie.ts'
import { parseSetCookie, setCookieLines, splitPair } from '../../lib/testing/set-cookie.ts'

const LINES = ['a=1; Path=/', 'b=2']

t.test('the lines of every kind of reply', async (t) => {
  const app = fastify()
  app.get('/:count', async (request, reply) => {
    const { count } = request.params as { count: string }
    for (const line of LINES.slice(0, Number(count))) reply.header('set-cookie', line)
    return ''
  })
  t.teardown(() => app.close())
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  for (const count of [0, 1, 2]) {
    const lines = LINES.slice(0, count)
    t.same(setCookieLines(await app.inject(`/${count}`)), lines, `${count} of inject`)
    t.same(setCookieLines(await fetch(`${address}/${count}`)), lines, `${count} of fetch`)
  }
  t.same(setCookieLines({ headers: { 'set-cookie': LINES } }), LINES)
  t.same(setCookieLines({ headers: { 'set-cookie': undefined } }), [])
})

const KEPT: readonly [line: string, cookie: Partial<SetCookie>][] = [
  ['a=1', { name: 'a', value: '1' }],
  ['a=1=2; Path=/x; HttpOnly', { name: 'a', value: '1=2', path: '/x' }],
  ['  a = "1 2" ;path = /x ', { name: 'a', value: '"1 2"', path: '/x' }],
  ['a=; PATH=/x; Path=/y', { name: 'a', value: '', path: '/y' }],
  ['a=1; Path=', { name: 'a', value: '1' }],
  ['a=1; Path', { name: 'a', value: '1' }],
  ['a=1; Path=x', { name: 'a', value: '1' }],
  ['a', { name: 'a', value: '' }],
  ['', { name: '', value: '' }],
  ['a=%20; __proto__=1', { name: 'a', value: '%20' }]
]

t.test('the parts of a line', (t) => {
  for (const [line, cookie] of KEPT) {
    t.strictSame(parseSetCookie(line), { path: undefined, isDeleted: false, ...cookie }, line)
  }
  t.end()
})

t.test('a cookie is deleted if Max-Age or Expires says so', (t) => {
  const [past, future] = ['Thu, 01 Jan 1970 00:00:00 GMT', 'Fri, 31 Dec 2286 00:00:00 GMT']
  const verdicts = {
    'Max-Age=0': true,
    'max-age=-1': true,
    'Max-Age=1': false,
    'Max-Age=': false,
    'Max-Age=soon': false,
    [`Expires=${past}`]: true,
    [`expires=${future}`]: false,
    'Expires=': false,
    'Expires=whenever': false,
    [`Max-Age=60; Expires=${past}`]: false,
    [`Max-Age=0; Expires=${future}`]: true,
    [`Max-Age=soon; Expires=${past}`]: true,
    'Max-Age=0; Max-Age=60': false
  }
  for (const [attributes, isDeleted] of Object.entries(verdicts)) {
    t.equal(parseSetCookie(`a=1; ${attributes}`).isDeleted, isDeleted, attributes)
  }
  t.end()
})

t.test('a pair is split at its first equals sign', (t) => {
  t.same(splitPair(' a = b=c '), ['a', 'b=c'])
  t.same(splitPair('a'), ['a', ''])
  t.end()
})
