import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { publish } from '../../lib/device-bound/device-events.ts'

t.test('an event is in the debug log, and on the channel for those who listen', async (t) => {
  const lines: unknown[] = []
  const request = { log: { debug: (line: unknown) => void lines.push(line) } } as unknown as FastifyRequest
  const event = { type: 'refused', request, id: 'handle', reason: 'bad-signature' } as const
  publish(event)
  const messages: unknown[] = []
  const listener = (message: unknown): void => void messages.push(message)
  subscribe('fastify-typed-session/device', listener)
  publish(event)
  unsubscribe('fastify-typed-session/device', listener)
  t.same(messages, [event])
  const line = { device: { type: 'refused', id: 'handle', reason: 'bad-signature' } }
  t.same(lines, [line, line])
})
