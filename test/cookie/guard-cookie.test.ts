import type { FastifyReply, LightMyRequestResponse } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import type { GuardedCookie } from '../../lib/cookie/guard-cookie.ts'
import { guardCookie } from '../../lib/cookie/guard-cookie.ts'
import { putCookie } from '../../lib/cookie/headers.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'

const LINE = 'session=a; Path=/'
const NEEDED: GuardedCookie = { line: LINE, onWithheld: undefined }
const OPTIONAL: GuardedCookie = { line: LINE, onWithheld: () => ({ 'x-withheld': 'yes' }) }

interface Answer {
  readonly cookies: string[]
  readonly headers: LightMyRequestResponse['headers']
  readonly conflicts: string[]
}

/** Returns what a reply with a guarded cookie sends, if a handler sends it after `work`. */
async function answerOf(
  cookie: GuardedCookie,
  work: (reply: FastifyReply) => void = () => {},
  method: 'GET' | 'HEAD' = 'GET'
): Promise<Answer> {
  const conflicts: string[] = []
  const app = fastify()
  app.get('/', async (_request, reply) => {
    if (cookie.onWithheld === undefined) putCookie(reply, cookie.line, undefined)
    guardCookie(
      reply,
      () => cookie,
      () => conflicts.push('made private')
    )
    work(reply)
    return reply.send('page')
  })
  const response = await app.inject({ method, url: '/' })
  if (response.headers['x-withheld'] === 'yes') conflicts.push('withheld')
  return { cookies: setCookieLines(response), headers: response.headers, conflicts }
}

t.test('a reply with a cookie that is needed is private, and varies by it', async (t) => {
  const { cookies, headers, conflicts } = await answerOf(NEEDED, (reply) => {
    reply
      .header('cache-control', 'public, max-age=60')
      .header('cdn-cache-control', 'max-age=60')
      .header('vary', 'Accept')
  })
  t.same(cookies, [NEEDED.line])
  t.match(headers, {
    'cache-control': 'private, max-age=60',
    'cdn-cache-control': 'no-store, max-age=60',
    vary: 'Accept, Cookie'
  })
  t.same(conflicts, ['made private'])
})

t.test('headers that are as they were put are sent as they are, unless others rule caches, too', async (t) => {
  const { headers } = await answerOf(NEEDED)
  t.match(headers, { 'cache-control': 'no-store', vary: 'Cookie' })
  for (const name of ['cdn-cache-control', 'Surrogate-Control']) {
    const { headers, conflicts } = await answerOf(NEEDED, (reply) => reply.header(name, 'max-age=60'))
    t.equal(headers[name.toLowerCase()], 'no-store, max-age=60', name)
    t.same(conflicts, ['made private'], name)
    const raw = await answerOf(NEEDED, (reply) => reply.raw.setHeader(name, 'max-age=60'))
    t.equal(raw.headers[name.toLowerCase()], 'no-store, max-age=60', `${name}, set on the raw response`)
  }
})

t.test('nobody hears of it where the handler did not mean the reply to be shared', async (t) => {
  const { headers, conflicts } = await answerOf(NEEDED, (reply) => reply.header('cache-control', 'no-cache'))
  t.equal(headers['cache-control'], 'private, no-cache')
  t.same(conflicts, [])
})

t.test('what the handler has said of a private reply stays', async (t) => {
  for (const cookie of [NEEDED, OPTIONAL]) {
    for (const value of ['private, max-age=60', 'no-store', 'private, no-cache']) {
      const { cookies, headers, conflicts } = await answerOf(cookie, (reply) => reply.header('cache-control', value))
      t.equal(headers['cache-control'], value)
      t.equal(headers.vary, 'Cookie')
      t.same(cookies, [cookie.line])
      t.same(conflicts, [])
    }
  }
})

t.test('Vary: * stays', async (t) => {
  t.equal((await answerOf(NEEDED, (reply) => reply.header('vary', '*'))).headers.vary, '*')
})

t.test('a cookie that somebody has taken away needs no care', async (t) => {
  const { headers, conflicts } = await answerOf(NEEDED, (reply) =>
    reply.removeHeader('set-cookie').header('cache-control', 'public').header('vary', 'Accept')
  )
  t.match(headers, { 'cache-control': 'public', vary: 'Accept' })
  t.same(conflicts, [])
})

t.test('a cookie whose attributes somebody has changed is the same cookie', async (t) => {
  const { headers } = await answerOf(NEEDED, (reply) =>
    reply
      .removeHeader('set-cookie')
      .header('set-cookie', 'session=a; Path=/; Partitioned')
      .header('cache-control', 'public')
  )
  t.equal(headers['cache-control'], 'private')
})

t.test('a cookie that is optional changes nothing of a reply that is shared', async (t) => {
  for (const name of ['cache-control', 'cdn-cache-control', 'surrogate-control']) {
    const { cookies, headers, conflicts } = await answerOf(OPTIONAL, (reply) =>
      reply.header(name, 'max-age=60').header('set-cookie', 'theme=dark')
    )
    t.same(cookies, ['theme=dark'])
    t.match(headers, { [name]: 'max-age=60', vary: undefined })
    t.equal(headers['cache-control'], name === 'cache-control' ? 'max-age=60' : undefined)
    t.same(conflicts, ['withheld'])
  }
})

t.test(
  'a cookie that is optional goes out where a cache would have to ask, and then none may keep the reply',
  async (t) => {
    const { cookies, headers, conflicts } = await answerOf(OPTIONAL, (reply) =>
      reply.header('cache-control', 'public, max-age=0').header('set-cookie', 'theme=dark')
    )
    t.same(cookies, ['theme=dark', OPTIONAL.line])
    t.match(headers, { 'cache-control': 'private, max-age=0', vary: 'Cookie' })
    t.same(conflicts, [])
    t.equal((await answerOf(OPTIONAL)).headers['cache-control'], 'no-store')
  }
)

t.test('a cookie that is optional goes out with an update of what caches have only if that is private', async (t) => {
  const send = (status: number, value: string, method?: 'HEAD'): Promise<Answer> =>
    answerOf(OPTIONAL, (reply) => reply.code(status).header('cache-control', value), method)
  for (const [status, method] of [[304], [206], [200, 'HEAD']] as const) {
    const kept = await send(status, 'no-cache', method)
    t.same(kept.cookies, [], `${status}`)
    t.equal(kept.headers['cache-control'], 'no-cache')
    t.same((await send(status, 'private', method)).cookies, [OPTIONAL.line], `${status}`)
  }
})

t.test('a cookie that is optional does not undo one of its name that the handler has written', async (t) => {
  for (const line of ['session=; Max-Age=0; Path=/', 'session=mine', 'session =mine']) {
    const { cookies, conflicts } = await answerOf(OPTIONAL, (reply) => reply.header('set-cookie', ['theme=dark', line]))
    t.same(cookies, ['theme=dark', line])
    t.same(conflicts, ['withheld'])
  }
})

t.test('a cookie that was added to headers that could not be sent is not among those that are', async (t) => {
  const { cookies, headers } = await answerOf(OPTIONAL, ({ raw }) => {
    t.throws(() => raw.writeHead(200, 'no\nmessage', { 'set-cookie': 'theme=dark' }), { code: 'ERR_INVALID_CHAR' })
    raw.statusMessage = 'OK'
    raw.setHeader('cache-control', 'public')
  })
  t.same(cookies, ['theme=dark'])
  t.equal(headers['cache-control'], 'public')
})

t.test('of two cookies each is guarded', async (t) => {
  const app = fastify()
  const conflicts: string[] = []
  app.get('/', async (_request, reply) => {
    for (const name of ['session', 'remember']) {
      const line = `${name}=a`
      putCookie(reply, line, undefined)
      guardCookie(
        reply,
        () => ({ line, onWithheld: undefined }),
        () => conflicts.push('made private')
      )
    }
    return reply.header('cache-control', 'public').send('')
  })
  const response = await app.inject('/')
  t.same(setCookieLines(response), ['session=a', 'remember=a'])
  t.equal(response.headers['cache-control'], 'private')
  t.same(conflicts, ['made private'], 'and one warning is enough')
})
