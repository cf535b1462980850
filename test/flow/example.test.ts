import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { SECRET } from '../helpers/app.ts'
import { startProgram } from '../helpers/program.ts'

// By a name that the compiler does not follow: the example sees the built package, these tests its sources.
const path = String(new URL('../../example/app.ts', import.meta.url))
const { buildApp } = (await import(path)) as { buildApp(options: { secret: string }): Promise<FastifyInstance> }

t.test('the example counts, lets in, shows and forgets', async (t) => {
  const visitor = await createClient(await buildApp({ secret: SECRET }))
  const post = (url: string, payload: string) =>
    visitor.post(url, { payload, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  t.match((await visitor.get('/')).body, /<strong>1<\/strong>/)
  t.match((await visitor.get('/')).body, /<strong>2<\/strong>/)
  t.match(await visitor.get('/members'), { statusCode: 302, headers: { location: '/login' } })
  t.match((await visitor.get('/login')).body, /<form method="post" action="\/login">/)
  t.match(await post('/login', 'username=%20'), { statusCode: 400, body: /Please say who you are/ })
  t.match(await post('/login', 'username=%3Cb%3EAna'), { statusCode: 303, headers: { location: '/members' } })
  const members = await visitor.get('/members')
  t.match(members.body, /<h1>Welcome, &#60;b&#62;Ana<\/h1>/)
  t.match(await post('/logout', ''), { statusCode: 303, headers: { location: '/' } })
  t.match((await visitor.get('/')).body, /<strong>1<\/strong>/)
})

const SERVER = ['--import=tsx', 'example/server.ts']

t.test('in development a missing secret is replaced, and said so in one line', async (t) => {
  const { lines, stop } = await startProgram(SERVER)
  t.equal(await stop(), 0)
  t.equal(lines.filter((line) => line.includes('SESSION_SECRET')).length, 1)
  t.match(lines.at(-1), /Listening on http:\/\/127\.0\.0\.1:\d+/)
})

t.test('in production a missing secret refuses to start', async (t) => {
  // It ends by itself: nothing else is waited for.
  const { lines, stop } = await startProgram(SERVER, { NODE_ENV: 'production' })
  t.equal(await stop(), 1)
  t.match(lines.join('\n'), /ERR_SESSION_SECRET_MISSING/)
})
