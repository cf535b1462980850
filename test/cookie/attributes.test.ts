import t from 'tap'
import {
  ATTRIBUTE_NAMES,
  isSecure,
  MAX_COOKIE_BYTES,
  resolveAttributes,
  sameSiteFor
} from '../../lib/cookie/attributes.ts'
import type { CookieAttributes } from '../../types/options.ts'

const INVALID = 'ERR_SESSION_OPTION_INVALID'
const RULE = 'ERR_SESSION_COOKIE_RULE'
const PREFIXES = ['__Host-Http-', '__Host-', '__Http-', '__Secure-']

t.test('attributes', (t) => {
  t.test('have defaults, which are frozen', (t) => {
    const attributes = resolveAttributes('session', {})
    t.strictSame(attributes, { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto', partitioned: false })
    t.ok(Object.isFrozen(attributes))
    t.end()
  })

  t.test('that are undefined have their default', (t) => {
    const nothing = Object.fromEntries(ATTRIBUTE_NAMES.map((name) => [name, undefined]))
    t.strictSame(resolveAttributes('session', nothing), resolveAttributes('session', {}))
    t.end()
  })

  t.test('are taken as given, from an object that is not changed', (t) => {
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

  t.test('of every other value are refused with the expected and the given value', (t) => {
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
    t.throws(() => resolveAttributes(name, {}), {
      code: INVALID,
      message: /characters that a cookie name must not contain/
    })
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
        const message = `The prefix ${prefix} needs secure: true: otherwise browsers refuse the cookie '${prefix}s'.`
        t.throws(() => resolveAttributes(`${prefix}s`, { secure }), { code: RULE, message })
      }
    }
    t.end()
  })

  t.test('with Host in it needs path / and no domain', (t) => {
    for (const prefix of ['__Host-', '__Host-Http-']) {
      const name = `${prefix}s`
      t.throws(() => resolveAttributes(name, { path: '/a' }), { code: RULE, message: /needs path: '\/'/ })
      t.throws(() => resolveAttributes(name, { domain: 'a.com' }), {
        code: RULE,
        message: /forbids the attribute domain/
      })
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
      t.throws(() => resolveAttributes(name, {}), { code: RULE, message: /needs exactly this spelling/ }, name)
    }
    t.end()
  })
  t.end()
})

t.test("sameSite: 'none' needs secure: true or 'auto'; partitioned needs true", (t) => {
  const none = { sameSite: 'none', secure: false } as const
  t.throws(() => resolveAttributes('s', none), {
    code: RULE,
    message: /^sameSite: 'none' needs secure: true or 'auto'/
  })
  for (const secure of [undefined, false, 'auto'] as const) {
    const apart = { partitioned: true, ...(secure !== undefined && { secure }) }
    t.throws(() => resolveAttributes('s', apart), { code: RULE, message: /^partitioned: true needs secure: true/ })
  }
  t.doesNotThrow(() => resolveAttributes('__Host-s', { sameSite: 'none', partitioned: true }))
  const auto = resolveAttributes('s', { sameSite: 'none' })
  t.equal(auto.secure, 'auto')
  t.equal(sameSiteFor(auto, true), 'none')
  t.equal(sameSiteFor(auto, false), 'lax', 'browsers refuse None without Secure')
  t.equal(sameSiteFor(resolveAttributes('s', { sameSite: 'strict' }), false), 'strict')
  t.end()
})

t.test('the limit is that of browsers', (t) => {
  t.equal(MAX_COOKIE_BYTES, 4096)
  t.end()
})

t.test("Secure follows the protocol with 'auto', and is as it was written otherwise", (t) => {
  for (const protocol of ['http', 'https']) {
    t.equal(isSecure('auto', protocol), protocol === 'https', protocol)
    t.equal(isSecure(true, protocol), true, protocol)
    t.equal(isSecure(false, protocol), false, protocol)
  }
  t.end()
})
