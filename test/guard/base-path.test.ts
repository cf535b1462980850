import type { FastifyServerOptions } from 'fastify'
import t from 'tap'
import { basePathOf, withBasePath } from '../../lib/guard/base-path.ts'
import { createApp } from '../helpers/app.ts'

async function found(
  headers: Record<string, string>,
  trustProxy: FastifyServerOptions['trustProxy'] = true,
  options = {}
): Promise<string> {
  const { app } = await createApp(options, trustProxy === undefined ? {} : { trustProxy })
  app.get('/', async (request) => basePathOf(request, 'session'))
  return (await app.inject({ url: '/', headers, remoteAddress: '10.0.0.1' })).body
}

t.test('a trusted proxy says what it takes off', async (t) => {
  for (const [header, expected] of [
    ['/app', '/app'],
    ['/app/', '/app'],
    ['/a/b//', '/a/b'],
    ['/old, /app', '/app'],
    ['/', ''],
    ['', ''],
    ['app', ''],
    ['//evil.example', ''],
    ['/\\evil.example', ''],
    ['/a/../b', ''],
    ['/app?a', ''],
    ['https://evil.example/app', '']
  ] as const) {
    t.equal(await found({ 'x-forwarded-prefix': header }), expected, header)
  }
  t.equal(await found({}), '')
})

t.test('nobody else does', async (t) => {
  const headers = { 'x-forwarded-prefix': '/app', 'x-forwarded-host': 'shop.test', 'x-forwarded-for': '10.0.0.1' }
  t.equal(await found(headers, '10.0.0.1'), '/app')
  t.equal(await found(headers, '10.0.0.2'), '')
  t.equal(await found(headers, false), '')
})

t.test('the option goes first', async (t) => {
  const options = { basePath: '/shop' }
  for (const trustProxy of [true, false])
    t.equal(await found({ 'x-forwarded-prefix': '/app' }, trustProxy, options), '/shop')
})

t.test('something that is no request of Fastify has none', async (t) => {
  t.equal(basePathOf({}, 'session'), '')
  t.equal(basePathOf({ raw: { headers: { 'x-forwarded-prefix': '/app' } } }, 'session'), '')
})

t.test('a path gets it once', async (t) => {
  for (const [path, expected] of [
    ['/', '/app/'],
    ['/login?a#b', '/app/login?a#b'],
    ['/apple', '/app/apple'],
    ['/app', '/app'],
    ['/app?a', '/app?a'],
    ['/app#a', '/app#a'],
    ['/app/login', '/app/login'],
    ['//other.example', '//other.example'],
    ['https://other.example/', 'https://other.example/'],
    ['login', 'login'],
    ['', '']
  ] as const) {
    t.equal(withBasePath(path, '/app'), expected, path)
    t.equal(withBasePath(path, ''), path)
  }
})
