import { connect } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import fastify from 'fastify'
import t from 'tap'
import { getSession, session } from '../../lib/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, SECRET } from '../helpers/app.ts'
import { selfSigned } from '../helpers/self-signed.ts'

t.test('every kind of reply carries the cookie', async (t) => {
  const { app } = await createApp()
  app.addHook('onRequest', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
  })
  app.get('/text', async () => 'ok')
  app.get('/json', async () => ({ ok: true }))
  app.get('/empty', async (_request, reply) => reply.code(204).send())
  app.get('/redirect', async (_request, reply) => reply.redirect('/text'))
  app.get('/stream', async (_request, reply) => reply.send(Readable.from(['a', 'b'])))
  app.get('/buffer', async () => Buffer.from('bytes'))
  app.get('/error', async () => {
    throw new Error('handler failed')
  })
  app.get('/callback', (_request, reply) => {
    reply.send('ok')
  })
  const visitor = await createClient(app)
  const kinds = [
    ['GET', '/text', 200],
    ['HEAD', '/text', 200],
    ['GET', '/json', 200],
    ['GET', '/empty', 204],
    ['GET', '/redirect', 302],
    ['GET', '/stream', 200],
    ['GET', '/buffer', 200],
    ['GET', '/error', 500],
    ['GET', '/callback', 200],
    ['GET', '/missing', 404]
  ] as const
  for (const [method, url, status] of kinds) {
    const response = await visitor.inject({ method, url })
    t.equal(response.statusCode, status, `${method} ${url}`)
    t.equal(setCookieLines(response).length, 1, `${method} ${url}`)
  }
  const last = await visitor.get('/json')
  t.equal(setCookieLines(last).length, 1)
})

t.test('over HTTP/2', async (t) => {
  const app = fastify({ http2: true })
  await app.register(session, { secret: SECRET })
  app.get('/', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return session.visits
  })
  app.get('/raw', async ({ session }, reply) => {
    session.visits = 10
    await session.commit()
    reply.hijack()
    reply.raw.end('raw')
  })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  const client = connect(address)
  t.teardown(async () => {
    client.close()
    await app.close()
  })
  const get = (path: string, cookie?: string): Promise<{ body: string; cookie: string }> =>
    new Promise((resolve, reject) => {
      const stream = client.request({ ':path': path, ...(cookie === undefined ? {} : { cookie }) })
      let [body, received] = ['', '']
      stream.on('response', (headers) => {
        received = headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
      })
      stream.setEncoding('utf8').on('data', (chunk) => {
        body += chunk
      })
      stream.on('end', () => resolve({ body, cookie: received })).on('error', reject)
    })
  const first = await get('/')
  t.match(first.cookie, /^session=s2/)
  const raw = await get('/raw', first.cookie)
  t.equal(raw.body, 'raw')
  t.equal((await get('/', raw.cookie)).body, '11')
})

t.test('over HTTPS the cookie is Secure, and a __Host- name works without another setting', async (t) => {
  const app = fastify(selfSigned(t))
  await app.register(session, { secret: SECRET })
  await app.register(session, { secret: SECRET, decorator: 'hostSession', cookieName: '__Host-session' })
  app.get('/', async (request) => {
    request.session.visits = 1
    getSession(request, 'hostSession').visits = 1
    return ''
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const lines = await new Promise<string[]>((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/', rejectUnauthorized: false, agent: false }
    httpsRequest(options, (response) => resolve(response.resume().headers['set-cookie'] ?? []))
      .on('error', reject)
      .end()
  })
  t.equal(lines.length, 2)
  t.match(lines[0], /^session=[^;]+; .*Secure/)
  t.match(lines[1], /^__Host-session=[^;]+; .*Secure/)
  t.notMatch(lines[1], /Domain/)
})
