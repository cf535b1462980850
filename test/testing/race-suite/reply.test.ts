import type { LightMyRequestResponse } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { cookieValue, errorCode, setCookie, statuses } from '../../../lib/testing/race-suite/reply.ts'

async function replyWith(cookies: string | string[] | undefined): Promise<LightMyRequestResponse> {
  const app = fastify()
  app.get('/', async (_request, reply) => {
    if (cookies !== undefined) reply.header('set-cookie', cookies)
    return {}
  })
  return app.inject('/')
}

t.test('the cookie of a reply: its line and its value', async (t) => {
  const none = await replyWith(undefined)
  t.equal(setCookie(none), undefined)
  t.equal(cookieValue(none), undefined)
  const one = await replyWith('session=abc; Path=/')
  t.equal(setCookie(one), 'session=abc; Path=/')
  t.equal(cookieValue(one), 'abc')
  t.equal(cookieValue(await replyWith(['session=; Max-Age=0', 'other=1'])), '', 'a cleared cookie')
})

t.test('the code of an error, and the status of each reply', async (t) => {
  const app = fastify()
  app.get('/', async () => {
    throw Object.assign(new Error('gone'), { code: 'ERR_SESSION_GONE', statusCode: 409 })
  })
  app.get('/fine', async () => ({}))
  const replies = [await app.inject('/'), await app.inject('/fine')]
  t.same(replies.map(errorCode), ['ERR_SESSION_GONE', undefined])
  t.same(statuses(replies), [409, 200])
})
