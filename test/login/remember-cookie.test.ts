import type { FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { resolveAttributes } from '../../lib/cookie/attributes.ts'
import { cookieSerializer } from '../../lib/cookie/serializer.ts'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { ReferenceFormat } from '../../lib/format/reference.ts'
import { RememberCookie } from '../../lib/login/remember-cookie.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { CookieAttributes } from '../../types/options.ts'

const NOW = 1_763_640_000
const TOKEN = 'A'.repeat(65)
const codec = new ReferenceFormat(deriveKeys([Buffer.alloc(32, 'secret')], 'reference'), 'session remember')
const serialize = await cookieSerializer(fastify())

function create(cookie: Partial<CookieAttributes> = {}): RememberCookie {
  const attributes = resolveAttributes('remember', cookie)
  const settings = { cookieName: 'remember', attributes, maxAge: 3600, now: () => NOW }
  return new RememberCookie(settings, codec, serialize)
}

/** Returns the tokens that a cookie reads from a header. */
function read(cookie: string | undefined): string[] {
  return create().read({ raw: { headers: { cookie } } } as FastifyRequest)
}

/** Returns the Set-Cookie lines of a reply after some code has run on it. */
async function linesOf(
  write: (request: FastifyRequest, reply: FastifyReply) => unknown,
  protocol = 'http'
): Promise<string[]> {
  const app = fastify({ trustProxy: true })
  app.get('/', async (request, reply) => {
    await write(request, reply)
    return reply.sent ? reply : 'ok'
  })
  return setCookieLines(await app.inject({ url: '/', headers: { 'x-forwarded-proto': protocol } }))
}

t.test('a token is written with a signature, and read again', async (t) => {
  const value = codec.encode(TOKEN, NOW)
  const lines = await linesOf((request, reply) => create().write(request, reply, TOKEN, undefined))
  t.same(lines, [`remember=${value}; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax`])
  t.same(read(`remember=${value}`), [TOKEN])
  t.same(read(undefined), [])
  t.same(read('session=1'), [])
  for (const other of ['', TOKEN, `${value}A`, value.slice(1), value.replace('A', 'B')]) {
    t.same(read(`remember=${other}`), [], other)
  }
  const session = new ReferenceFormat(deriveKeys([Buffer.alloc(32, 'secret')], 'reference'), 'remember')
  t.same(read(`remember=${session.encode(TOKEN, NOW)}`), [], 'signed for a cookie that is one of a session')
})

t.test('at most four valid tokens are read, in any position', async (t) => {
  const tokens = Array.from('abcdef', (letter) => letter.repeat(65))
  const cookies = tokens.map((token) => `remember=${codec.encode(token, NOW)}`)
  t.same(read(`remember=planted; ${cookies[0]}; x=1; ${cookies[1]}`), tokens.slice(0, 2))
  t.same(read(cookies.join('; ')), tokens.slice(0, 4))
})

t.test('only the first eight cookies of the name are looked at', async (t) => {
  const junk = (count: number): string => 'remember=planted; other=1; '.repeat(count)
  const good = `remember=${codec.encode(TOKEN, NOW)}`
  t.same(read(junk(7) + good), [TOKEN])
  t.same(read(junk(8) + good), [])
})

t.test('without a token the cookie is cleared, with the same attributes', async (t) => {
  const cookie = create({ path: '/app', sameSite: 'strict', domain: 'example.com' })
  const lines = await linesOf((request, reply) => cookie.write(request, reply, undefined, undefined))
  t.same(lines, [
    'remember=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Domain=example.com; Path=/app; HttpOnly; SameSite=Strict'
  ])
})

t.test('the cookie is Secure over HTTPS, or as the option says', async (t) => {
  for (const [secure, protocol, expected] of [
    ['auto', 'http', false],
    ['auto', 'https', true],
    [true, 'http', true],
    [false, 'https', false]
  ] as const) {
    const [line = ''] = await linesOf((...on) => create({ secure }).write(...on, TOKEN, undefined), protocol)
    t.equal(line.includes('; Secure'), expected, `${secure} over ${protocol}`)
  }
})

t.test('the previous line is replaced, and the lines of others stay', async (t) => {
  const lines = await linesOf((request, reply) => {
    reply.header('set-cookie', 'own=1')
    const cookie = create()
    const line = cookie.write(request, reply, TOKEN, undefined)
    cookie.write(request, reply, 'B'.repeat(65), line)
  })
  t.equal(lines.length, 2)
  t.equal(lines[0], 'own=1')
  t.ok(lines[1]?.startsWith(`remember=${codec.encode('B'.repeat(65), NOW)}; `))
})

t.test('a hijacked reply gets the cookie; a reply that was sent does not', async (t) => {
  const hijacked = await linesOf((request, reply) => {
    create().write(request, reply, TOKEN, undefined)
    reply.hijack()
    reply.raw.end('ok')
  })
  t.equal(hijacked.length, 1)
  const sent = await linesOf((request, reply) => {
    reply.hijack()
    reply.raw.end('ok')
    t.doesNotThrow(() => create().write(request, reply, TOKEN, undefined))
  })
  t.same(sent, [])
})

t.test('a reply that changes the cookie is private, whatever is said later', async (t) => {
  const app = fastify()
  app.get('/', async (request, reply) => {
    const first = create().write(request, reply, TOKEN, undefined)
    create().write(request, reply, undefined, first)
    return reply.header('cache-control', 'public, max-age=60').header('vary', 'Accept').send('ok')
  })
  const response = await app.inject('/')
  t.equal(setCookieLines(response).length, 1)
  t.match(response.headers, { 'cache-control': 'private, max-age=60', vary: 'Accept, Cookie' })
})
