import fastify from 'fastify'
import t from 'tap'
import { answer, answerEnd, hasChallenge, putChallenge } from '../../lib/device-bound/reply.ts'

t.test('an answer is for the browser alone', async (t) => {
  const app = fastify()
  app.get('/', (_request, reply) => {
    reply.header('access-control-allow-origin', '*').header('access-control-allow-credentials', 'true')
    t.notOk(hasChallenge(reply))
    putChallenge(reply, 'c1', 'd1')
    t.ok(hasChallenge(reply))
    answer(reply, 403, '{}')
  })
  const { statusCode, headers, body } = await app.inject('/')
  t.equal(statusCode, 403)
  t.equal(body, '{}')
  const { date: _, connection: __, ...others } = headers
  t.same(others, {
    'secure-session-challenge': '"c1";id="d1"',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
    'content-type': 'application/json; charset=utf-8',
    'content-length': '2'
  })
})

t.test('the browser forgets the session', async (t) => {
  const app = fastify()
  app.get('/', (_request, reply) => answerEnd(reply))
  const { statusCode, body } = await app.inject('/')
  t.equal(statusCode, 400)
  t.same(JSON.parse(body), { continue: false })
})
