import type { FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { LoginSlots } from '../../lib/login/login-slots.ts'
import type { RequestLogin } from '../../lib/login/request-login.ts'

t.test('a request gets its login when something asks for it, once, after the onRequest hook', async (t) => {
  const app = fastify()
  const made: [FastifyRequest, FastifyReply][] = []
  let slots: LoginSlots | undefined
  app.addHook('onRequest', async (request) => {
    t.notOk(slots?.isStarted(request))
    t.throws(() => slots?.loginOf(request), {
      code: 'ERR_SESSION_NOT_LOADED',
      message: /has not run its onRequest hook yet/
    })
  })
  slots = new LoginSlots(app, (request, reply) => {
    made.push([request, reply])
    return {} as RequestLogin
  })
  app.get('/', async (request, reply) => {
    t.ok(slots.isStarted(request))
    t.equal(made.length, 0)
    t.equal(slots.isAsked(request), false)
    t.equal(slots.loginOf(request), slots.loginOf(request))
    t.equal(slots.isAsked(request), true)
    t.equal(made[0]?.[0], request)
    t.equal(made[0]?.[1], reply)
    return ''
  })
  t.equal((await app.inject('/')).statusCode, 200)
  t.equal(made.length, 1)
})

t.test('a request is handled from its preHandler hooks until its reply begins', async (t) => {
  const app = fastify()
  const seen: boolean[] = []
  const look = async (request: FastifyRequest): Promise<void> => void seen.push(slots.isHandling(request))
  app.addHook('onSend', look)
  const slots = new LoginSlots(app, () => ({}) as RequestLogin)
  app.addHook('preValidation', look)
  app.addHook('preHandler', look)
  app.addHook('onResponse', look)
  app.get('/', async (request) => look(request))
  t.equal((await app.inject('/')).statusCode, 200)
  t.same(seen, [false, true, true, false, false])
})

t.test('several kits of one application do not know of each other', async (t) => {
  const app = fastify()
  const [first, second] = [{}, {}].map((login) => new LoginSlots(app, () => login as RequestLogin))
  let outside: LoginSlots | undefined
  await app.register(async (scope) => {
    outside = new LoginSlots(scope, () => ({}) as RequestLogin)
  })
  app.get('/', async (request) => {
    t.not(first?.loginOf(request), second?.loginOf(request))
    t.notOk(outside?.isStarted(request))
    t.notOk(outside?.isHandling(request))
    t.throws(() => outside?.loginOf(request), { code: 'ERR_SESSION_NOT_LOADED' })
    return ''
  })
  t.equal((await app.inject('/')).statusCode, 200)
})
