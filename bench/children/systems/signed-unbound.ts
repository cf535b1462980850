import type { Start } from './fastify.ts'
import { importDeviceBound } from './library.ts'
import { startOurs } from './ours.ts'

/** Sessions can be bound to devices, and none is. */
export const start: Start = startOurs(
  () => ({}),
  0,
  async (app) => {
    const { deviceBound } = await importDeviceBound()
    await app.register(deviceBound)
  }
)
