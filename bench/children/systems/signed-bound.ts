import type { FastifyInstance } from 'fastify'
import type { ResolvedAttributes } from '../../../dist/lib/cookie/attributes.js'
import type { Start } from './fastify.ts'
import { importDeviceBound, importInternals } from './library.ts'
import { startOurs } from './ours.ts'
import { COOKIE_ATTRIBUTES, COOKIE_NAME, SECRET } from './settings.ts'

/** A point of P-256, as sessions keep it. Nobody proves anything with it here. */
const KEY = `E${'A'.repeat(86)}`
const LIFETIME = 600

/** Every session is bound to a device by its login, as if the browser had registered its key in the same moment. */
export const start: Start = startOurs(
  () => ({}),
  0,
  async (app) => {
    const { deviceBound } = await importDeviceBound()
    await app.register(deviceBound, { refreshEvery: LIFETIME })
    await bindAtLogin(app)
  }
)

async function bindAtLogin(app: FastifyInstance): Promise<void> {
  const { RequestSession, requestSession, deriveKeys, ProofFormat, ShortCookie, cookieSerializer } =
    await importInternals()
  const name = `${COOKIE_NAME}-device`
  const proofs = new ProofFormat(deriveKeys([Buffer.from(SECRET)], 'device-proof'), name)
  const attributes: ResolvedAttributes = { ...COOKIE_ATTRIBUTES, partitioned: false }
  const cookie = new ShortCookie(name, attributes, proofs, LIFETIME, true, await cookieSerializer(app))
  app.addHook('onRoute', (route) => {
    if (route.url !== '/login') return
    route.preHandler = (request, reply, done) => {
      const state = RequestSession.stateOf(requestSession(request, 'session'))
      const now = Math.floor(Date.now() / 1000)
      state.bind(KEY, now)
      cookie.set(reply, state.id, KEY, now)
      done()
    }
  })
}
