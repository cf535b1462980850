import fastifyCookie from '@fastify/cookie'
import fc from 'fast-check'
import fastify from 'fastify'
import t from 'tap'
import type { CookieWriter } from '../../lib/cookie/attributes.ts'
import {
  ATTRIBUTE_NAMES,
  createCookieWriter,
  findCookie,
  MAX_COOKIE_BYTES,
  resolveAttributes
} from '../../lib/cookie/attributes.ts'
import type { CookieAttributes } from '../../types/options.ts'

const INVALID = 'ERR_SESSION_OPTION_INVALID'
const RULE = 'ERR_SESSION_COOKIE_RULE'
const PREFIXES = ['__Host-Http-', '__Host-', '__Http-', '__Secure-']
const DAY = 86_400

// It spells cookies only once it has been registered.
const app = fastify()
await app.register(fastifyCookie)

function writerOf(name: string, attributes: Partial<CookieAttributes>): CookieWriter {
  return createCookieWriter(name, resolveAttributes(name, attributes), app.serializeCookie)
}

/** Every value of a cookie in a header, as the lifecycle walks through them. */
function findAll(header: string, name = 'session'): string[] {
  const found: string[] = []
  for (let cookie = findCookie(header, name, 0); cookie; cookie = findCookie(header, name, cookie.end)) {
    found.push(cookie.text)
  }
  return found
}

t.test('attributes', (t) => {
  t.test('have defaults, which are frozen', (t) => {
    const attributes = resolveAttributes('session', {})
    t.strictSame(attributes, { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto', partitioned: false })
    t.ok(Object.isFrozen(attributes))
    t.end()
  })

  t.test('that are undefined have their default too', (t) => {
    const nothing = Object.fromEntries(ATTRIBUTE_NAMES.map((name) => [name, undefined]))
    t.strictSame(resolveAttributes('session', nothing), resolveAttributes('session', {}))
    t.end()
  })

  t.test('are taken as they are given, from an object that stays as it is', (t) => {
    const given: CookieAttributes = Object.freeze({
      path: '/admin',
      domain: '.example.com',
      httpOnly: false,
      sameSite: 'none',
      secure: true,
      partitioned: true,
      priority: 'high'
    })
    t.strictSame(resolveAttributes('session', given), given)
    t.same(ATTRIBUTE_NAMES.toSorted(), Object.keys(given).toSorted())
    t.end()
  })

  t.test('of every allowed value are accepted', (t) => {
    const accepted: readonly CookieAttributes[] = [
      { path: '/' },
      { path: '/a/b-c_d.e~f%20' },
      { domain: 'localhost' },
      { domain: 'a.b-c.example.com' },
      { domain: '.example.com' },
      { sameSite: 'lax' },
      { sameSite: 'strict' },
      { sameSite: 'none', secure: true },
      { secure: 'auto' },
      { secure: false },
      { partitioned: true, secure: true },
      { priority: 'low' },
      { priority: 'medium' }
    ]
    for (const attributes of accepted) t.match(resolveAttributes('session', attributes), attributes)
    t.end()
  })

  t.test('of every other value are refused, with what was expected and what came', (t) => {
    const wrong: readonly (readonly [string, readonly unknown[], string])[] = [
      ['path', ['', 'admin', '/a;b', '/a\nb', '/\x7f', '/\u0085', 1, null, true], "a string that starts with '/'"],
      ['domain', ['', 'a b', 'a..b', 'a;b', '*.a.com', 'a.com.', 'ü.de', 'http://a.com', 1, null], 'a host name'],
      ['httpOnly', ['true', 1, null], 'true or false'],
      ['sameSite', ['Lax', 'LAX', '', true, false, null], "'lax', 'strict' or 'none'"],
      ['secure', ['Auto', 'true', 1, null], "true, false or 'auto'"],
      ['partitioned', ['yes', 0, null], 'true or false'],
      ['priority', ['High', '', 1, null], "'low', 'medium' or 'high'"]
    ]
    for (const [name, values, expected] of wrong) {
      for (const value of values) {
        const message = new RegExp(`^The cookie attribute ${name} must be ${expected}.*; it is `)
        t.throws(() => resolveAttributes('session', { [name]: value }), { code: INVALID, message }, `${name} ${value}`)
      }
    }
    t.throws(() => resolveAttributes('session', { path: 'admin' }), { message: /; it is 'admin'\.$/ })
    t.end()
  })
  t.end()
})

t.test('a cookie name has the characters of a token', (t) => {
  for (const name of ['session', 'SID', 'a', '_', "!#$%&'*+-.^_`|~09azAZ", '__session', 'a__Host-b', '__Hos']) {
    t.equal(resolveAttributes(name, {}).secure, 'auto', name)
  }
  for (const name of [
    '',
    'a b',
    'a=b',
    'a;b',
    'a,b',
    'ü',
    'a\n',
    'a\0',
    '"a"',
    'a/b',
    'a:b',
    '(a)',
    '[a]',
    '{a}',
    'a\\',
    'a@'
  ]) {
    t.throws(() => resolveAttributes(name, {}), { code: INVALID, message: /characters that no cookie name may have/ })
  }
  t.end()
})

t.test('a name with a prefix', (t) => {
  t.test('is secure without being told', (t) => {
    for (const prefix of PREFIXES) t.equal(resolveAttributes(`${prefix}s`, {}).secure, true)
    t.end()
  })

  t.test('needs secure: true', (t) => {
    for (const prefix of PREFIXES) {
      for (const secure of [false, 'auto'] as const) {
        const message = `The prefix ${prefix} needs secure: true: browsers refuse the cookie '${prefix}s' otherwise.`
        t.throws(() => resolveAttributes(`${prefix}s`, { secure }), { code: RULE, message })
      }
    }
    t.end()
  })

  t.test('with Host in it needs path / and no domain', (t) => {
    for (const prefix of ['__Host-', '__Host-Http-']) {
      const name = `${prefix}s`
      t.throws(() => resolveAttributes(name, { path: '/a' }), { code: RULE, message: /needs path: '\/'/ })
      t.throws(() => resolveAttributes(name, { domain: 'a.com' }), { code: RULE, message: /needs no domain/ })
    }
    for (const prefix of ['__Secure-', '__Http-']) {
      t.doesNotThrow(() => resolveAttributes(`${prefix}s`, { path: '/a', domain: 'a.com' }))
    }
    t.end()
  })

  t.test('with Http in it needs httpOnly: true', (t) => {
    for (const prefix of ['__Http-', '__Host-Http-']) {
      const message = new RegExp(`The prefix ${prefix} needs httpOnly: true`)
      t.throws(() => resolveAttributes(`${prefix}s`, { httpOnly: false }), { code: RULE, message })
    }
    for (const prefix of ['__Secure-', '__Host-']) {
      t.doesNotThrow(() => resolveAttributes(`${prefix}s`, { httpOnly: false }))
    }
    t.end()
  })

  t.test('has exactly that spelling', (t) => {
    for (const name of [
      '__host-s',
      '__HOST-s',
      '__secure-s',
      '__SECURE-s',
      '__http-s',
      '__Host-http-s',
      '__HOST-HTTP-s'
    ]) {
      t.throws(() => resolveAttributes(name, {}), { code: RULE, message: /needs exactly that spelling/ }, name)
    }
    t.end()
  })
  t.end()
})

t.test("sameSite: 'none' and partitioned need secure: true, which 'auto' is not", (t) => {
  for (const secure of [undefined, false, 'auto'] as const) {
    const none = { sameSite: 'none', ...(secure !== undefined && { secure }) } as const
    t.throws(() => resolveAttributes('s', none), { code: RULE, message: /^sameSite: 'none' needs secure: true/ })
    const apart = { partitioned: true, ...(secure !== undefined && { secure }) }
    t.throws(() => resolveAttributes('s', apart), { code: RULE, message: /^partitioned: true needs secure: true/ })
  }
  t.doesNotThrow(() => resolveAttributes('__Host-s', { sameSite: 'none', partitioned: true }))
  t.end()
})

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

t.test('a cookie is found by its exact name', (t) => {
  t.same(findCookie('session=abc', 'session', 0), { text: 'abc', end: 11 })
  t.same(findCookie('a=1; session=abc; b=2', 'session', 0), { text: 'abc', end: 16 })
  t.equal(findCookie('', 'session', 0), undefined)
  t.equal(findCookie('session', 'session', 0), undefined)
  t.equal(findCookie('Session=abc; SESSION=abc; sessions=abc; xsession=abc', 'session', 0), undefined)
  t.equal(findCookie('my-session=abc; session.sig=abc; session-=abc', 'session', 0), undefined)
  t.equal(findCookie('session =abc', 'session', 0), undefined)
  t.end()
})

t.test('a name inside the value of another cookie is not found', (t) => {
  t.same(findAll('a=session=1'), [])
  t.same(findAll('a= session=1'), [])
  t.same(findAll('a=b session=1; session=2'), ['2'])
  t.same(findAll('a="; session=1"'), ['1"'], 'quotes are no boundary: no browser knows them')
  t.same(findAll('a=,session=1'), [])
  t.same(findAll('asession=1;session=2'), ['2'])
  t.end()
})

t.test('blanks and empty cookies around it do not matter', (t) => {
  for (const header of [
    'session=v',
    '  session=v',
    ';session=v;',
    ';;; session=v ;;',
    '\t session=v\t',
    'a;\t session=v; b'
  ]) {
    t.same(findAll(header), ['v'], JSON.stringify(header))
  }
  t.same(findAll('session= v'), [' v'], 'a blank in front of the value belongs to it')
  t.same(findAll('session=v w'), ['v w'])
  t.end()
})

t.test('only blanks and tabs are trimmed from the end of a value, so that it has one spelling', (t) => {
  for (const other of ['\u00a0', '\v', '\f', '\ufeff', '\u2028']) {
    t.same(findAll(`session=v${other}; a=1`), [`v${other}`], `U+${other.charCodeAt(0).toString(16)}`)
  }
  t.end()
})

t.test('values are taken as they are', (t) => {
  for (const value of ['', '=', 'a=b', 'session=x', '"v"', '%7B', 'ü', 'a,b', '{}', 'x'.repeat(5000)]) {
    t.same(findAll(`a=1; session=${value}; b=2`), [value])
  }
  t.end()
})

t.test('several cookies of one name are found one after the other', (t) => {
  t.same(findAll('session=1; session=2;session=3'), ['1', '2', '3'])
  t.same(findAll('session=; session=; a=session=9; session=3'), ['', '', '3'])
  t.equal(findCookie('session=1', 'session', 9), undefined)
  t.end()
})

t.test('a name with special characters is no pattern', (t) => {
  t.same(findAll('axb=1; a.b=2', 'a.b'), ['2'])
  t.same(findAll('a$=1; $=2; ^=3', '$'), ['2'])
  t.end()
})

t.test('every cookie that was put into a header is found again, among any others', (t) => {
  const token = fc.stringMatching(/^[a-z$.]{1,4}$/)
  const value = fc.stringMatching(/^[a-z=!$.]{0,6}$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(token, value)), fc.constantFrom(';', '; ', ' ; '), token, (pairs, joint, name) => {
      const header = pairs.map((pair) => pair.join('=')).join(joint)
      const wanted = pairs.filter(([other]) => other === name).map(([, value]) => value)
      return JSON.stringify(findAll(header, name)) === JSON.stringify(wanted)
    }),
    { seed: 12, numRuns: 3000, endOnFailure: true }
  )
  t.pass('for 3000 headers')
  t.end()
})

t.test('a header made to be slow is searched in a few milliseconds', (t) => {
  const headers = ['session='.repeat(20_000), `${' '.repeat(50_000)}xsession=`.repeat(3), 'session=;'.repeat(20_000)]
  for (const header of headers) {
    const start = process.cpuUsage()
    findAll(header)
    const { user } = process.cpuUsage(start)
    t.ok(user < 500_000, `${user} µs`)
  }
  t.end()
})

t.test('the limit is that of browsers', (t) => {
  t.equal(MAX_COOKIE_BYTES, 4096)
  t.end()
})
