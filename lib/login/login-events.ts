import { channel } from 'node:diagnostics_channel'
import type { LoginEvent } from '../../types/login.ts'

const events = channel('fastify-typed-session/login')

export function publish(event: LoginEvent): void {
  if (events.hasSubscribers) events.publish(event)
}
