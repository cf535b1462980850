// Sessions that are bound to a device.
import { subscribe } from 'node:diagnostics_channel'
import fastify from 'fastify'
import session, { type DeviceBinding, type OwnedSession } from 'fastify-typed-session'
import deviceBound, {
  type DeviceBoundOptions,
  type DeviceEvent,
  type DeviceRefusal,
  deviceRequired,
  deviceBound as named
} from 'fastify-typed-session/device-bound'
import { same, typed } from '../expect.ts'

const app = fastify()
const options: DeviceBoundOptions = {
  path: '/auth/device',
  refreshEvery: 300,
  offerAtLogin: false,
  offerAgainAfter: 3600,
  onSkipped: 'accept',
  decorator: 'session'
}
await app.register(session, { secret: 'a secret of thirty-two characters' })
await app.register(deviceBound, options)
await app.register(named)
await app.register(deviceBound, { refreshEvery: '600' }) //! 2769
await app.register(deviceBound, { onSkipped: 'ignore' }) //! 2769

app.get('/', async (request) => {
  typed<DeviceBinding | undefined>(request.session.device)
  typed<boolean>(request.session.bindToDevice())
  typed<number | undefined>(request.session.device?.lastProofAt?.getTime())
  request.session.device = undefined //! 2540
})
app.get(
  '/bound',
  deviceRequired({ status: 404 }).handle(async (request) => {
    typed<Date>(request.session.device.lastProofAt)
    return request.session.device.boundAt.getTime()
  })
)
app.get('/hook', { preHandler: deviceRequired() }, async () => 'bound')
app.get('/open', { config: { session: { device: 'optional' } } }, async () => 'open')
app.get('/wrong', { config: { session: { device: 'required' } } }, async () => 'wrong') //! 2769
deviceRequired({ decorator: 7 }) //! 2322

same<OwnedSession['device'], DeviceBinding | undefined>(true)

subscribe('fastify-typed-session/device', (message) => {
  const { type, reason } = message as DeviceEvent
  typed<'bound' | 'proved' | 'refused' | 'skipped'>(type)
  typed<DeviceRefusal | 'unreachable' | 'server_error' | 'quota_exceeded' | 'other' | undefined>(reason)
})
