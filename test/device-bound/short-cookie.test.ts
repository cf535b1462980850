import type { FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { resolveAttributes } from '../../lib/cookie/attributes.ts'
import { cookieSerializer } from '../../lib/cookie/serializer.ts'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { ShortCookie } from '../../lib/device-bound/short-cookie.ts'
import { ProofFormat } from '../../lib/format/proof.ts'
import type { CookieAttributes } from '../../types/options.ts'
import { SECRET } from '../helpers/app.ts'

const serialize = await cookieSerializer(fastify())

const AT = 1_763_640_000
const FORMAT = new ProofFormat(deriveKeys([Buffer.from(SECRET)], 'device-proof'), 'session-device')
const PROOF = { provedAt: AT, expiresAt: AT + 660, key: 'Ekey' }

function create(lifetime = 600, attributes: CookieAttributes = {}, hasKey = false): ShortCookie {
  const resolved = resolveAttributes('session-device', attributes)
  return new ShortCookie('session-device', resolved, FORMAT, lifetime, hasKey, serialize)
}

const request = (header: string): FastifyRequest => ({ raw: { headers: { cookie: header } } }) as FastifyRequest

async function linesOf(run: (cookie: ShortCookie, reply: never) => void, made: ShortCookie): Promise<string> {
  const app = fastify()
  app.get('/', async (_request, reply) => {
    run(made, reply as never)
    return ''
  })
  return String((await app.inject('/')).headers['set-cookie'])
}

t.test('a proof is good until its end, and for a while on its way', async (t) => {
  for (const [lifetime, latency] of [
    [600, 10],
    [60, 6],
    [3, 1]
  ] as const) {
    const made = create(lifetime)
    const line = await linesOf((cookie, reply) => cookie.set(reply, 'id', 'Ekey', AT), made)
    const [, value = ''] = /^session-device=([^;]+)/.exec(line) ?? []
    t.equal(line, `session-device=${value}; Max-Age=${lifetime}; Path=/; HttpOnly; Secure; SameSite=Lax`)
    const read = (now: number, id = 'id') => made.read(`session-device=${value}`, id, now)
    t.same(read(AT), { provedAt: AT, expiresAt: AT + lifetime + latency, key: '' })
    t.ok(read(AT + lifetime + latency))
    t.equal(read(AT + lifetime + latency + 1), undefined)
    t.equal(read(AT, 'other'), undefined)
    t.ok(read(AT - 60), 'the clock of a server is ahead')
    t.equal(read(AT - 61), undefined)
  }
})

t.test('it has the key where that may get lost', async (t) => {
  for (const hasKey of [true, false]) {
    const made = create(600, {}, hasKey)
    const line = await linesOf((cookie, reply) => cookie.set(reply, 'id', 'Ekey', AT), made)
    t.equal(made.read(line, 'id', AT)?.key, hasKey ? 'Ekey' : '')
    t.equal(made.hasKey, hasKey)
  }
})

t.test('the first that is good counts, among three', async (t) => {
  const made = create()
  const good = `session-device=${FORMAT.encode(PROOF, 'id')}`
  const bad = 'session-device=d1'
  t.same(made.read(`session=a; ${bad}; ${bad}; ${good}`, 'id', AT), PROOF)
  t.equal(made.read(`${bad}; ${bad}; ${bad}; ${good}`, 'id', AT), undefined)
  t.equal(made.read('session=a', 'id', AT), undefined)
  t.ok(made.isSent(request(`session=a; ${bad}`)))
  t.notOk(made.isSent(request('session=a')))
  t.notOk(made.isSent({ raw: { headers: {} } } as FastifyRequest))
})

t.test('the attributes are those of the session, as the browser compares them', async (t) => {
  for (const [given, attributes] of [
    [{}, 'Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ priority: 'high' }, 'Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ sameSite: 'none', domain: 'app.test', path: '/a' }, 'Domain=app.test; Path=/a; HttpOnly; Secure; SameSite=None'],
    [{ sameSite: 'strict', httpOnly: false }, 'Path=/; Secure; SameSite=Strict']
  ] as const) {
    const made = create(600, given)
    t.equal(made.attributes, attributes)
    t.match(await linesOf((cookie, reply) => cookie.set(reply, 'id', 'Ekey', AT), made), `; Max-Age=600; ${attributes}`)
    t.match(await linesOf((cookie, reply) => cookie.clear(reply), made), /^session-device=; Max-Age=0; /)
  }
})
