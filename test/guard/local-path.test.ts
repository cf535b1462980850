import fc from 'fast-check'
import t from 'tap'
import { localPath } from '../../lib/guard/local-path.ts'
import { anyCharacter } from '../helpers/any-character.ts'

const LOGIN = 'https://app.example/login'

/** Refused addresses, and the reason for each. */
const HOSTILE: readonly (readonly [address: unknown, why: string])[] = [
  ['//evil.example', 'the scheme of the page, and another host'],
  ['//evil.example/me?a=b#c', 'the same with a path'],
  ['//', 'no host, which some take for the next thing they find'],
  ['///', 'browsers take any number of slashes for two'],
  ['///evil.example', 'browsers take any number of slashes for two'],
  ['////evil.example', 'browsers take any number of slashes for two'],
  ['//app.example@evil.example', 'userinfo that looks like the host'],
  ['//[::1]/', 'a host that is an address'],
  ['//evil%2eexample', 'browsers decode hosts'],
  ['/\\evil.example', 'browsers read a backslash as a slash'],
  ['\\/evil.example', 'browsers read a backslash as a slash'],
  ['\\\\evil.example', 'browsers read a backslash as a slash'],
  ['/\\/evil.example', 'browsers read a backslash as a slash'],
  ['/me\\..\\..\\/evil.example', 'browsers read a backslash as a slash'],
  ['/\t/evil.example', 'browsers drop tabs'],
  ['/\n/evil.example', 'browsers drop line breaks'],
  ['/\r/evil.example', 'browsers drop line breaks'],
  ['/\r\n\t/evil.example', 'browsers drop all of them'],
  ['/\t\\evil.example', 'browsers drop tabs and read a backslash as a slash'],
  ['\t//evil.example', 'browsers drop tabs'],
  [' //evil.example', 'browsers drop spaces at the start'],
  ['\u0000//evil.example', 'browsers drop control characters at the start'],
  ['\u001f/me', 'browsers drop control characters at the start'],
  ['\u00a0/me', 'does not begin with a slash'],
  ['/.//evil.example', 'browsers take the dot out'],
  ['/././/evil.example', 'browsers take the dots out'],
  ['/..//evil.example', 'there is nothing above the root'],
  ['/a/..//evil.example', 'browsers take /a/.. out'],
  ['/a/../..//evil.example', 'browsers take it out, and there is nothing above the root'],
  ['/a/b/../..//evil.example', 'browsers take it out'],
  ['/%2e//evil.example', 'an encoded dot is a dot'],
  ['/%2e%2e//evil.example', 'encoded dots are dots'],
  ['/.%2E//evil.example', 'encoded in part, and in capitals'],
  ['/a/%2e.//evil.example', 'encoded in part'],
  ['http://evil.example', 'another server'],
  ['https://evil.example/login', 'another server'],
  ['HTTPS://EVIL.EXAMPLE', 'schemes have no case'],
  ['http:evil.example', 'to https pages another server, without a slash'],
  ['https:evil.example', 'to https pages a page beside this one'],
  ['http:///evil.example', 'browsers take any number of slashes for two'],
  ['https:/\\evil.example', 'browsers read a backslash as a slash'],
  ['ht\ntp://evil.example', 'browsers drop line breaks'],
  ['https://app.example@evil.example', 'userinfo that looks like the host'],
  ['https://app.example:443@evil.example', 'userinfo that looks like host and port'],
  ['https://app.example.evil.example', 'a host that begins like ours'],
  ['https://app.example', 'our own, for now: the Host header said so, and whoever sent it'],
  ['ftp://evil.example', 'another scheme'],
  ['javascript:alert(1)', 'runs in our page'],
  ['JavaScript:alert(1)', 'schemes have no case'],
  ['java\tscript:alert(1)', 'browsers drop tabs'],
  [' javascript:alert(1)', 'browsers drop spaces at the start'],
  ['javascript://app.example/%0aalert(1)', 'the host is a comment'],
  ['vbscript:alert(1)', 'runs in our page, in browsers of old'],
  ['data:text/html,<script>alert(1)</script>', 'a page of its own'],
  ['blob:https://app.example/0', 'a page of its own'],
  ['file:///etc/passwd', 'on the own machine'],
  ['mailto:a@evil.example', 'no page'],
  ['evil.example', 'depends on the page'],
  ['me', 'depends on the page'],
  ['./me', 'depends on the page'],
  ['../me', 'depends on the page'],
  ['?a=b', 'depends on the page'],
  ['#a', 'depends on the page'],
  ['@evil.example', 'depends on the page'],
  [':80', 'depends on the page'],
  ['', 'nothing'],
  [' ', 'nothing'],
  ['/me\r\nSet-Cookie: session=forged', 'a second header'],
  ['/me\nLocation: https://evil.example', 'a second header'],
  ['/me\u0000.html', 'the end of a string to some'],
  ['/\u007f', 'a control character'],
  ['\uff0f\uff0fevil.example', 'fullwidth slashes, which some normalise'],
  ['\u2215\u2215evil.example', 'division slashes'],
  ['\u2044/evil.example', 'a fraction slash'],
  [`/${'a'.repeat(1024)}`, 'over-long'],
  [`/${'\u20ac'.repeat(200)}`, 'over-long once it is encoded'],
  [['/me', '/me'], 'what ?next=/me&next=/me is parsed to'],
  [['/me'], 'an array becomes its member when it is made a string'],
  [{ toString: () => '/me' }, 'an object may be another string the next time'],
  [undefined, 'nothing'],
  [null, 'nothing'],
  [7, 'no string'],
  [true, 'no string']
]

/** Local addresses, and how the URL standard serializes them. */
const GOOD: readonly (readonly [address: string, path: string])[] = [
  ['/', '/'],
  ['/me', '/me'],
  ['/me/', '/me/'],
  ['/me?a=b&c=d#e', '/me?a=b&c=d#e'],
  ['/me?', '/me'],
  ['/a//b', '/a//b'],
  ['/a/../b', '/b'],
  ['/./me', '/me'],
  ['/%2e%2e/me', '/me'],
  ['/...//evil.example', '/...//evil.example'],
  ['/?next=//evil.example', '/?next=//evil.example'],
  ['/?next=https://evil.example', '/?next=https://evil.example'],
  ['/#//evil.example', '/#//evil.example'],
  ['/;//evil.example', '/;//evil.example'],
  ['/@evil.example', '/@evil.example'],
  ['/:80', '/:80'],
  ['/https://evil.example', '/https://evil.example'],
  ['/javascript:alert(1)', '/javascript:alert(1)'],
  ['/%2f/evil.example', '/%2f/evil.example'],
  ['/%2F%2Fevil.example', '/%2F%2Fevil.example'],
  ['/%5cevil.example', '/%5cevil.example'],
  ['/%09/evil.example', '/%09/evil.example'],
  ['/%0d%0aSet-Cookie:a=b', '/%0d%0aSet-Cookie:a=b'],
  ['/\uff0fevil.example', '/%EF%BC%8Fevil.example'],
  ['/\u2028/me', '/%E2%80%A8/me'],
  ['/\ud800', '/%EF%BF%BD'],
  ['/\u00fcber?\u00fc#\u00fc', '/%C3%BCber?%C3%BC#%C3%BC'],
  ['/a b', '/a%20b'],
  ['/ /evil.example', '/%20/evil.example'],
  ['/me ', '/me'],
  ['/"<me>"', '/%22%3Cme%3E%22'],
  ['/%', '/%'],
  [`/${'a'.repeat(1023)}`, `/${'a'.repeat(1023)}`]
]

/** Escapes characters that would break a line. */
function show(address: unknown): string {
  return JSON.stringify(address)
    ?.slice(0, 80)
    .replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
}

t.test('what could lead elsewhere is refused', (t) => {
  t.ok(HOSTILE.length >= 40)
  for (const [address, why] of HOSTILE) t.equal(localPath(address), undefined, `${show(address)}: ${why}`)
  t.end()
})

t.test('a local path is returned as browsers serialize it', (t) => {
  for (const [address, path] of GOOD) {
    t.equal(localPath(address), path, show(address))
    assertStays(t, path)
  }
  t.end()
})

/** Checks with the URL parser of browsers that a path stays on its host, from pages at any depth. */
function assertStays(t: { equal(a: unknown, b: unknown, message: string): unknown }, path: string): void {
  for (const base of [LOGIN, 'https://app.example/a/b/login?next=c', 'https://app.example']) {
    const { origin, pathname, search, hash } = new URL(path, base)
    t.equal(origin, 'https://app.example', path)
    t.equal(pathname + search + hash, path, 'and every browser reads it the same')
  }
}

/** Strings of characters that matter to URL parsers. */
const parts = ['/', '//', '\\', '.', '..', '%2e', '%2F', '%5c', '\t', '\r\n', ' ', '\u0000', '@', ':', '?', '#', ';']
const words = ['evil.example', 'http:', 'javascript:', '[::1]', 'me', '\uff0f', '\u2028', '\u00ad', '\ud800', '%']
const mosaic = fc.array(fc.constantFrom(...parts, ...words), { maxLength: 12 }).map((pieces) => pieces.join(''))
const text = fc.oneof(mosaic, fc.string({ unit: anyCharacter }), fc.webUrl(), fc.webPath())

t.test('whatever comes, a result stays here', (t) => {
  let results = 0
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        text.map((some) => `/${some}`)
      ),
      (address) => {
        const path = localPath(address)
        if (path === undefined) return true
        results++
        const { origin, href } = new URL(path, LOGIN)
        // The result is already serialized and fits into a header, so that a proxy cannot read it differently.
        const isPlain = href === origin + path && /^\/(?!\/)[!-~]*$/.test(path)
        return origin === 'https://app.example' && isPlain && localPath(path) === path
      }
    ),
    { numRuns: 5000 }
  )
  t.ok(results > 1000, `${results} results`)
  t.end()
})
