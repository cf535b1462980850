import type { FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { resolveAttributes } from '../../lib/cookie/attributes.ts'
import { setCookiesOf } from '../../lib/cookie/headers.ts'
import { cookieSerializer } from '../../lib/cookie/serializer.ts'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { ReferenceFormat } from '../../lib/format/reference.ts'
import { RememberCookie } from '../../lib/login/remember-cookie.ts'
import { RememberTokens } from '../../lib/login/remember-tokens.ts'
import { RememberedBrowser } from '../../lib/login/remembered-browser.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { CookieJar } from '../../lib/testing/cookie-jar.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { START } from '../helpers/app.ts'

const begin = async (): Promise<void> => undefined

async function create() {
  const clock = new FakeClock(START)
  const settings = {
    cookieName: 'remember',
    attributes: resolveAttributes('remember', {}),
    maxAge: 3600,
    absoluteMaxAge: 7200,
    grace: 60,
    now: () => clock.now() / 1000
  }
  const codec = new ReferenceFormat(deriveKeys([Buffer.alloc(32, 'secret')], 'reference'), 'session remember')
  const tokens = new RememberTokens(new MemoryStore({ clock: clock.now, pruneInterval: 0 }), settings, (token) => token)
  const cookie = new RememberCookie(settings, codec, await cookieSerializer(fastify()))
  const thefts: string[] = []
  const jar = new CookieJar()
  /** Runs code on a request of a browser. */
  const visit = async (
    run: (device: RememberedBrowser, lines: () => readonly string[]) => Promise<unknown>,
    header = jar.header()
  ): Promise<void> => {
    const app = fastify()
    app.get('/', async (request: FastifyRequest, reply: FastifyReply) => {
      const device = new RememberedBrowser({ tokens, cookie }, request, reply, (userId) => thefts.push(userId))
      await run(device, () => setCookiesOf(reply))
      return ''
    })
    const response = await app.inject({ url: '/', headers: { cookie: header } })
    if (response.statusCode !== 200) throw new Error(response.body)
    if (setCookieLines(response).length > 1) throw new Error('The reply says two things.')
    jar.take(response)
  }
  return { clock, tokens, thefts, jar, visit }
}

t.test('a browser that remembers a login says whose it is', async (t) => {
  const { visit, tokens, jar } = await create()
  await visit(async (device, lines) => {
    t.equal(device.hasTokens, false)
    t.equal(await device.find(), undefined)
    const { series, token } = await device.begin('1', 'a hash', 'a client')
    t.equal(series, tokens.keyOf(token))
    t.same(lines(), [], 'it is not told yet')
    device.send(token)
    t.match(lines(), [/^remember=r2/])
  })
  const before = jar.header()
  await visit(async (device) => {
    t.equal(device.hasTokens, true)
    const found = await device.find()
    t.match(found, { userId: '1', hash: 'a hash', client: 'a client', since: START.getTime() / 1000, isStolen: false })
    const ids: string[] = []
    const rotation = await device.rotate(found?.token as string, async (id) => void ids.push(id))
    t.match(rotation, { sessionId: found?.token, isFirst: true })
    t.same(ids, [found?.token])
    t.equal(await device.isRemembered(found?.key as string), true)
    t.equal(await device.isRemembered('another'), false)
  })
  t.not(jar.header(), before)
  await visit(async (device) => t.match(await device.find(), { userId: '1' }))
})

t.test('the search continues after invalid tokens, and reports stolen ones', async (t) => {
  const { visit, clock, jar, thefts } = await create()
  const headers: string[] = []
  for (const userId of ['1', '2', '3']) {
    await visit(async (device) => device.send((await device.begin(userId, undefined, undefined)).token), 'none=1')
    headers.push(jar.header())
  }
  const [dead = '', stolen = '', good = ''] = headers
  await visit((device) => device.forget(undefined), dead)
  await visit(async (device) => void (await device.rotate((await device.find())?.token as string, begin)), stolen)
  clock.advance(61)
  await visit(async (device) => {
    t.match(await device.find(), { userId: '3' })
    t.same(thefts, ['2'])
  }, [dead, stolen, good].join('; '))
})

t.test('forget ends the series of all tokens and the series of the session', async (t) => {
  const { visit, jar, tokens } = await create()
  await visit(async (device) => device.send((await device.begin('1', undefined, undefined)).token))
  const session = (await tokens.issue('1', undefined, undefined)).token
  await visit(async (device) => {
    const token = (await device.find())?.token as string
    await device.forget({ id: '1', series: tokens.keyOf(session) })
    t.equal(await tokens.find(session), undefined)
    t.equal(await device.rotate(token, begin), undefined)
  })
  t.equal(jar.header(), '')
  await visit(async (device, lines) => {
    await device.forget({ id: '1' })
    t.same(lines(), [], 'there is nothing to say to one that knows nothing')
    device.send((await device.begin('1', undefined, undefined)).token)
    await device.forget(undefined)
  })
  t.equal(jar.header(), '', 'what this reply had said is taken back')
})

t.test('a browser is answered when the headers are sent', async (t) => {
  const { tokens } = await create()
  const app = fastify()
  const seen: boolean[] = []
  app.get('/', async (request, reply) => {
    const browser = new RememberedBrowser({ tokens, cookie: {} as RememberCookie }, request, reply, () => undefined)
    seen.push(browser.isAnswered)
    reply.hijack()
    seen.push(browser.isAnswered)
    reply.raw.writeHead(200)
    seen.push(browser.isAnswered)
    reply.raw.end()
  })
  await app.inject('/')
  t.same(seen, [false, false, true])
})
