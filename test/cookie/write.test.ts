import fastifyCookie from '@fastify/cookie'
import fastify from 'fastify'
import t from 'tap'
import { resolveAttributes } from '../../lib/cookie/attributes.ts'
import type { CookieWriter } from '../../lib/cookie/write.ts'
import { createCookieWriter } from '../../lib/cookie/write.ts'
import type { CookieAttributes } from '../../types/options.ts'

const DAY = 86_400

// It has serializeCookie() only after its registration.
const app = fastify()
await app.register(fastifyCookie)

function writerOf(name: string, attributes: Partial<CookieAttributes>): CookieWriter {
  return createCookieWriter(name, resolveAttributes(name, attributes), app.serializeCookie)
}

t.test('lines are written out', (t) => {
  const plain = writerOf('session', {})
  t.equal(plain.set('VALUE', false, undefined), 'session=VALUE; Path=/; HttpOnly; SameSite=Lax')
  t.equal(plain.set('VALUE', true, undefined), 'session=VALUE; Path=/; HttpOnly; Secure; SameSite=Lax')
  t.equal(plain.set('VALUE', false, 3600), 'session=VALUE; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax')
  t.equal(
    plain.clear(false),
    'session=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax'
  )
  t.equal(
    writerOf('s', { httpOnly: false, sameSite: 'strict', path: '/a' }).set('V', false, 1),
    's=V; Max-Age=1; Path=/a; SameSite=Strict'
  )
  const embedded = writerOf('s', { sameSite: 'none' })
  t.equal(embedded.set('V', true, undefined), 's=V; Path=/; HttpOnly; Secure; SameSite=None')
  t.equal(embedded.set('V', false, undefined), 's=V; Path=/; HttpOnly; SameSite=Lax')
  t.match(embedded.clear(false), /SameSite=Lax$/)
  const full = writerOf('__Secure-id', {
    domain: 'example.com',
    sameSite: 'none',
    partitioned: true,
    priority: 'low',
    path: '/app'
  })
  t.equal(
    full.set('V', true, undefined),
    '__Secure-id=V; Domain=example.com; Path=/app; HttpOnly; Secure; Partitioned; Priority=Low; SameSite=None'
  )
  t.end()
})

t.test('a lifetime is cut to the 400 days that browsers grant', (t) => {
  const ageOf = (maxAge: number): string | undefined =>
    writerOf('session', {})
      .set('V', false, maxAge)
      .match(/Max-Age=(-?\d+)/)?.[1]
  t.equal(ageOf(400 * DAY - 1), String(400 * DAY - 1))
  t.equal(ageOf(400 * DAY), '34560000')
  t.equal(ageOf(400 * DAY + 1), '34560000')
  t.equal(ageOf(0), '0')
  t.end()
})

t.test('clearing has exactly the attributes of setting', (t) => {
  const many: readonly (readonly [string, CookieAttributes])[] = [
    ['session', {}],
    ['session', { path: '/a', domain: '.example.com', httpOnly: false, sameSite: 'strict', priority: 'high' }],
    ['session', { sameSite: 'none', secure: true, partitioned: true }],
    ['__Host-session', { priority: 'medium' }]
  ]
  for (const [name, attributes] of many) {
    for (const secure of [true, false]) {
      const writer = writerOf(name, attributes)
      const attributesOf = (line: string): string =>
        line.replace(/^[^;]*/, '').replace(/; (Max-Age|Expires)=[^;]*/g, '')
      t.equal(attributesOf(writer.clear(secure)), attributesOf(writer.set('V', secure, undefined)))
      t.equal(attributesOf(writer.clear(secure)), attributesOf(writer.set('V', secure, 99)))
      t.equal(/; Secure(;|$)/.test(writer.set('V', secure, undefined)), secure)
    }
  }
  t.end()
})
