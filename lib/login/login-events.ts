import { channel } from 'node:diagnostics_channel'
import type { LoginEvent } from '../../types/login.ts'

const events = channel('fastify-typed-session/login')

/** Publishes an event on the `diagnostics_channel` of the login kit. */
export function publish(event: LoginEvent): void {
  if (events.hasSubscribers) events.publish(event)
}
