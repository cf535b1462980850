import fc from 'fast-check'
import fastify from 'fastify'
import t from 'tap'
import { cookieSession } from '../../../lib/adopt/cookie-session.ts'
import { expressSession } from '../../../lib/adopt/express-session.ts'
import { fastifySession } from '../../../lib/adopt/fastify-session.ts'
import { ironSession } from '../../../lib/adopt/iron-session.ts'
import { secureSession } from '../../../lib/adopt/secure-session.ts'
import type { SessionOptions } from '../../../lib/index.ts'
import { session } from '../../../lib/index.ts'
import { decisionsOf, SECRET } from '../../helpers/app.ts'

const PASSWORD = 'the secret of the other library, 1234567'
/** A store that has everything. What is refused never reaches it. */
const store = {
  get: async () => ({ userId: 7 }),
  destroy: async () => {}
}
const READERS = [
  fastifySession({ secret: PASSWORD, store, remove: true }),
  expressSession({ secret: PASSWORD, store, remove: true }),
  secureSession({ key: Buffer.alloc(32, 7), cookieName: 'secure', remove: true }),
  cookieSession({ keys: [PASSWORD], name: 'cookie', remove: true }),
  ironSession({ password: PASSWORD, cookieName: 'iron', remove: true })
]
for (const reader of READERS) await reader.start?.()

/** What has the form of the cookies of some library, and anything else. */
const base64 = fc.base64String({ maxLength: 200 })
const value = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'binary-ascii', maxLength: 300 }),
  base64,
  fc.tuple(base64, base64).map(([id, mac]) => `${id}.${mac}`),
  fc.tuple(base64, base64).map(([id, mac]) => `s%3A${id}.${mac}`),
  fc
    .tuple(base64, fc.uint8Array({ minLength: 24, maxLength: 24 }))
    .map(([box, nonce]) => `${box}%3B${Buffer.from(nonce).toString('base64')}`),
  fc.array(base64, { minLength: 5, maxLength: 9 }).map((parts) => `Fe26.2*${parts.join('*')}~2`),
  fc
    .array(fc.constantFrom('Fe26.2', '*', '~', '1', '9999999999999', '"', '%', ';', '.', '=', '{}'), { maxLength: 30 })
    .map((parts) => parts.join(''))
)

for (const { cookieName, read } of READERS) {
  t.test(`no bytes open ${cookieName}, and none throw`, async (t) => {
    await fc.assert(
      fc.asyncProperty(value, value, fc.nat(), async (text, other, now) => {
        const found = await read(text, { now, cookiesNamed: () => [other] })
        return found === 'refused'
      }),
      { numRuns: 2000 }
    )
    t.pass()
  })
}

t.test('nor does any header make a request fail', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET, adopt: READERS } as SessionOptions)
  app.get('/', async ({ session }) => ({ ...session }))
  const names = READERS.map(({ cookieName }) => cookieName)
  const pair = fc.tuple(fc.constantFrom(...names, 'cookie.sig', 'sessions'), value).map((parts) => parts.join('='))
  const decisions = await decisionsOf(() =>
    fc.assert(
      fc.asyncProperty(fc.array(pair, { maxLength: 12 }), async (pairs) => {
        const cookie = pairs.join('; ').replace(/[^\x20-\x7e]/g, '')
        const response = await app.inject({ url: '/', headers: { cookie } })
        return response.statusCode === 200 && response.body === '{}' && response.headers['set-cookie'] === undefined
      }),
      { numRuns: 500 }
    )
  )
  t.ok(decisions.includes('open: adopt-refused'))
  t.notOk(decisions.includes('open: adopted'))
})
