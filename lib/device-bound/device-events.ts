import { channel } from 'node:diagnostics_channel'
import type { DeviceEvent } from '../../types/device-bound.ts'

const events = channel('fastify-typed-session/device')

/** Publishes an event on the `diagnostics_channel` of device-bound sessions, and tells the debug log. */
export function publish(event: DeviceEvent): void {
  const { type, id, reason, request } = event
  request.log.debug({ device: { type, id, reason } }, 'device-bound session')
  if (events.hasSubscribers) events.publish(event)
}
