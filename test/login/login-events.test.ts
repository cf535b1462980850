import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { publish } from '../../lib/login/login-events.ts'
import { loginEventsOf } from '../helpers/login-app.ts'

t.test('an event reaches the subscribers of the channel', async (t) => {
  const request = {} as FastifyRequest
  const event = {
    type: 'login',
    request,
    userDecorator: 'user',
    userId: '1',
    impersonatorId: undefined,
    reason: undefined
  } as const
  publish(event)
  const heard = await loginEventsOf(async () => publish(event))
  t.equal(heard.length, 1)
  t.equal(heard[0], event)
  publish(event)
  t.equal(heard.length, 1)
})
