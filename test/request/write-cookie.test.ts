import cookie from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { resolveAttributes } from '../../lib/cookie/attributes.ts'
import type { SerializeCookie } from '../../lib/cookie/serializer.ts'
import { Trace } from '../../lib/diagnostics/trace.ts'
import { resolveOptions } from '../../lib/options.ts'
import type { SessionHost } from '../../lib/request/state.ts'
import { SessionState } from '../../lib/request/state.ts'
import { ReplyCookie } from '../../lib/request/write-cookie.ts'
import type { SessionOptions } from '../../types/options.ts'
import { SECRET } from '../helpers/app.ts'

const POLICY = { enabled: true, touch: true, anonymousOnStoreError: false }
const HOST = { permanent: false, now: () => 5000, newId: () => 'id', handleOf: (id: string) => id }
const app = fastify()
await app.register(cookie)
const serialize: SerializeCookie = app.serializeCookie

interface Scene {
  cookie: ReplyCookie
  visit: SessionState
  reply: FastifyReply
  headers: Map<string, unknown>
  /** What was decided, and the reasons of warnings behind an exclamation mark. */
  told: string[]
}

function create(options: Partial<SessionOptions> = {}, protocol = 'http', headersSent = false): Scene {
  const settings = resolveOptions({ secret: SECRET, ...options } as SessionOptions)
  const told: string[] = []
  const log = {
    debug: ({ session }: { session: { reason: string } }) => void told.push(session.reason),
    warn: ({ reason }: { reason: string }) => void told.push(`!${reason}`)
  }
  const request = { protocol, log } as unknown as FastifyRequest
  const headers = new Map<string, unknown>()
  const reply = {
    raw: { headersSent },
    getHeader: (name: string) => headers.get(name),
    hasHeader: (name: string) => headers.has(name),
    removeHeader: (name: string) => headers.delete(name),
    header: (name: string, value: unknown) => headers.set(name, value)
  }
  const trace = new Trace(settings, { fatal: () => {}, trace: () => {} })
  return {
    cookie: new ReplyCookie(settings, serialize, trace),
    visit: new SessionState(HOST as unknown as SessionHost, request, POLICY, 'no-cookie', undefined),
    reply: reply as unknown as FastifyReply,
    headers,
    told
  }
}

t.test('a cookie is set with its attributes, kept out of caches, and said', async (t) => {
  const { cookie, visit, reply, headers, told } = create()
  cookie.set(visit, reply, 'created', 'text', undefined)
  const line = 'session=text; Path=/; HttpOnly; SameSite=Lax'
  t.same(Object.fromEntries(headers), { 'set-cookie': line, 'cache-control': 'no-store' })
  t.same(told, ['created'])
  t.match(visit, { line, commitReason: 'created' })
})

t.test('a cookie that outlives the browser says for how long', async (t) => {
  const { cookie, visit, reply, headers } = create()
  cookie.set(visit, reply, 'created', 'text', 90)
  t.equal(headers.get('set-cookie'), 'session=text; Max-Age=90; Path=/; HttpOnly; SameSite=Lax')
})

t.test('the next one takes the place of the one before', async (t) => {
  const { cookie, visit, reply, headers } = create()
  headers.set('set-cookie', 'other=1')
  cookie.set(visit, reply, 'created', 'one', undefined)
  cookie.set(visit, reply, 'changed', 'two', undefined)
  t.same(headers.get('set-cookie'), ['other=1', 'session=two; Path=/; HttpOnly; SameSite=Lax'])
  cookie.clear(visit, reply, 'destroyed')
  t.same(headers.get('set-cookie'), [
    'other=1',
    'session=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax'
  ])
  t.equal(visit.commitReason, 'destroyed')
})

t.test('secure follows the protocol, and a Secure cookie over plain HTTP is told', async (t) => {
  const https = create({}, 'https')
  https.cookie.set(https.visit, https.reply, 'created', 'text', undefined)
  t.equal(https.headers.get('set-cookie'), 'session=text; Path=/; HttpOnly; Secure; SameSite=Lax')
  t.same(https.told, ['created'])

  const forced = create({ cookie: { secure: true } })
  forced.cookie.set(forced.visit, forced.reply, 'created', 'text', undefined)
  t.match(forced.headers.get('set-cookie'), /; Secure/, 'it is sent all the same')
  t.same(forced.told, ['!insecure-transport', 'insecure-transport'])
})

t.test("this reply's own attributes count, for setting and for clearing", async (t) => {
  const { cookie, visit, reply, headers } = create()
  visit.attributes = resolveAttributes('session', { path: '/x', secure: false })
  cookie.set(visit, reply, 'created', 'text', undefined)
  t.equal(headers.get('set-cookie'), 'session=text; Path=/x; HttpOnly; SameSite=Lax')
  cookie.clear(visit, reply, 'emptied')
  t.match(headers.get('set-cookie'), [/^session=; Max-Age=0; .*; Path=\/x; /])
})

t.test('where nothing is new, what was said before is said again, whatever became of the headers', async (t) => {
  const { cookie, visit, reply, headers, told } = create()
  cookie.repeat(visit, reply, 'unchanged')
  t.equal(headers.size, 0)
  t.equal(visit.commitReason, 'unchanged')

  cookie.set(visit, reply, 'created', 'text', undefined)
  headers.clear()
  cookie.repeat(visit, reply, 'unchanged')
  t.match(headers.get('set-cookie'), /^session=text;/)
  t.same(told, ['unchanged', 'created', 'created'], 'with the reason that it had')
})

t.test('a cookie that comes after the headers is lost, and said so once; one that was sent is not', async (t) => {
  const { cookie, visit, reply, headers, told } = create()
  cookie.set(visit, reply, 'created', 'text', undefined)
  headers.clear()
  ;(reply.raw as { headersSent: boolean }).headersSent = true
  cookie.repeat(visit, reply, 'unchanged')
  t.same(told, ['created'])
  cookie.set(visit, reply, 'changed', 'later', undefined)
  cookie.clear(visit, reply, 'destroyed')
  t.same(told, ['created', 'headers-sent', '!headers-sent'])
  t.equal(headers.size, 0)
  t.equal(visit.commitReason, 'created')
})

t.test('a decision without a cookie is noted and told', async (t) => {
  const { cookie, visit, reply, headers, told } = create()
  cookie.conclude(visit, reply, 'gone')
  t.equal(visit.commitReason, 'gone')
  t.same(told, ['gone'])
  t.equal(headers.size, 0)
})
