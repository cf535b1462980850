import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { followUp, urlOf } from '../../lib/testing/redirect.ts'

/** Returns a redirect with a status and a location. */
async function redirectWith(statusCode: number, location?: string): Promise<LightMyRequestResponse> {
  const app = fastify()
  app.get('/', async (_request, reply) => {
    if (location !== undefined) reply.header('location', location)
    return reply.code(statusCode).send('')
  })
  return app.inject('/')
}

t.test('the URL of a request', (t) => {
  t.equal(urlOf({ url: '/a?b=1' }).href, 'http://localhost/a?b=1')
  t.equal(urlOf({ path: '/a' }).pathname, '/a')
  t.equal(urlOf({}).pathname, '/')
  t.equal(urlOf({ url: { pathname: '/a/b' } }).pathname, '/a/b')
  t.equal(urlOf({ url: '/a', authority: 'example.com:8080' }).host, 'example.com:8080')
  t.equal(urlOf({ url: 'https://example.com/a' }).host, 'example.com')
  t.end()
})

t.test('a redirect within the application is followed from any path', async (t) => {
  const places = {
    '/b': 'http://localhost/b',
    'b?c=1': 'http://localhost/a/b?c=1',
    '../b': 'http://localhost/b',
    'http://localhost/b': 'http://localhost/b',
    'http://localhost:80/b': 'http://localhost/b',
    'https://localhost/b': 'https://localhost/b'
  }
  for (const [location, url] of Object.entries(places)) {
    t.match(followUp({ url: '/a/' }, await redirectWith(302, location)), { url }, location)
  }
  const request = { url: '/a', authority: 'example.com' }
  t.strictSame(followUp(request, await redirectWith(302, 'http://example.com/b')), {
    url: 'http://example.com/b',
    authority: 'example.com'
  })
})

t.test('no other reply is followed', async (t) => {
  const request = { url: '/a' }
  for (const [statusCode, location] of [
    [200, '/b'],
    [201, '/b'],
    [304, '/b'],
    [302, undefined],
    [302, 'https://example.com/'],
    [302, '//example.com/'],
    [302, 'http://localhost:8080/'],
    [302, 'mailto:ada@example.com'],
    [302, 'http://']
  ] as const) {
    t.equal(followUp(request, await redirectWith(statusCode, location)), undefined, `${statusCode} ${location}`)
  }
})

t.test('the method becomes GET as in a browser, and the body is dropped', async (t) => {
  const methods: Record<number, Record<string, string>> = {
    301: { GET: 'GET', HEAD: 'HEAD', POST: 'GET', PUT: 'PUT', DELETE: 'DELETE' },
    302: { GET: 'GET', HEAD: 'HEAD', POST: 'GET', PUT: 'PUT', DELETE: 'DELETE' },
    303: { GET: 'GET', HEAD: 'HEAD', POST: 'GET', PUT: 'GET', DELETE: 'GET' },
    307: { GET: 'GET', POST: 'POST', PUT: 'PUT' },
    308: { GET: 'GET', POST: 'POST', PUT: 'PUT' }
  }
  for (const [statusCode, changes] of Object.entries(methods)) {
    const reply = await redirectWith(Number(statusCode), '/b')
    for (const [before, after] of Object.entries(changes)) {
      t.equal(followUp({ url: '/', method: before as 'GET' }, reply)?.method, after, `${before} with ${statusCode}`)
    }
  }
  const form: InjectOptions = {
    url: '/a',
    path: '/ignored',
    query: { page: '2' },
    method: 'post',
    payload: 'a=1',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded', 'user-agent': 'x' },
    remoteAddress: '::1'
  }
  const url = 'http://localhost/b'
  const { query, path, payload, headers, ...rest } = form
  t.equal(followUp(form, await redirectWith(302, '/b'))?.method, 'GET')
  t.strictSame(followUp(form, await redirectWith(303, '/b')), {
    ...rest,
    url,
    method: 'GET',
    headers: { 'user-agent': 'x' }
  })
  t.strictSame(followUp(form, await redirectWith(307, '/b')), { ...rest, url, payload, headers })
  t.strictSame(followUp({ url: '/a', method: 'POST', body: {} }, await redirectWith(302, '/b')), {
    url,
    method: 'GET',
    headers: {}
  })
})
