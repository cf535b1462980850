import type { Start } from './fastify.ts'
import { sessionOf } from './fastify.ts'
import { importDeviceBound } from './library.ts'
import { startOurs } from './ours.ts'

/** Every session is offered to the browser, as over HTTPS, and no browser binds it. */
export const start: Start = startOurs(
  () => ({}),
  0,
  async (app) => {
    const { deviceBound } = await importDeviceBound()
    await app.register(deviceBound, { offerAgainAfter: 0 })
    app.addHook('onRoute', (route) => {
      if (route.url !== '/login') return
      route.preHandler = (request, _reply, done) => {
        Object.defineProperty(request, 'protocol', { value: 'https' })
        sessionOf<{ bindToDevice(): boolean }>(request).bindToDevice()
        done()
      }
    })
  }
)
