import type { OutgoingHttpHeaders } from 'node:http'
import t from 'tap'
import type { Sharing } from '../../lib/cookie/cache-control.ts'
import { readCaching } from '../../lib/cookie/cache-control.ts'

const FUTURE = 'Fri, 31 Dec 2100 23:59:59 GMT'
const PAST = 'Thu, 01 Jan 1970 00:00:00 GMT'

/** What shared caches may do with a reply that has only this Cache-Control, and with which one they may not even store it. */
const CACHE_CONTROL: readonly (readonly [value: string, sharing: Sharing, asPrivate?: string])[] = [
  ['no-store', 'private'],
  ['private', 'private'],
  ['Private, max-age=60', 'private'],
  ['max-age=60 ,\tPRIVATE', 'private'],
  ['public, max-age=60, private', 'private'],
  ['private="x-user", private', 'private'],
  ['no-store, max-age=60', 'private'],

  ['public, max-age=60', 'shared', 'private, max-age=60'],
  ['max-age=60', 'shared', 'private, max-age=60'],
  ['s-maxage=60', 'shared', 'private'],
  ['S-MaxAge=60, Max-Age=0', 'shared', 'private, Max-Age=0'],
  ['max-age="60"', 'shared', 'private, max-age="60"'],
  ['max-age = 60', 'shared', 'private, max-age = 60'],
  ['max-age=0, max-age=60', 'shared', 'private, max-age=0, max-age=60'],
  ['public', 'shared', 'private'],
  ['public, immutable', 'shared', 'private, immutable'],
  ['private="x-user", max-age=60', 'shared', 'private, max-age=60'],
  ['private=x-user, max-age=60', 'shared', 'private, max-age=60'],
  ['private="a, private, b", max-age=60', 'shared', 'private, max-age=60'],
  ['no-cache="set-cookie", max-age=60', 'shared', 'private, no-cache="set-cookie", max-age=60'],
  ['max-age=60, ext="no-store, private"', 'shared', 'private, max-age=60, ext="no-store, private"'],
  ['max-age=60, ext="\\", private', 'shared', 'private, max-age=60, ext="\\", private'],
  ['max-age=60, ext="open, private', 'shared', 'private, max-age=60, ext="open, private'],
  ['x-private-ish, max-age=60', 'shared', 'private, x-private-ish, max-age=60'],
  ['must-understand, no-store, max-age=60', 'shared', 'private, no-store, max-age=60'],
  ['max-age=0, stale-while-revalidate=60', 'shared', 'private, max-age=0, stale-while-revalidate=60'],
  ['max-age=0, stale-if-error=60', 'shared', 'private, max-age=0, stale-if-error=60'],

  ['no-cache', 'unsaid', 'private, no-cache'],
  ['no-cache, max-age=60, public', 'unsaid', 'private, no-cache, max-age=60'],
  ['max-age=0, must-revalidate', 'unsaid', 'private, max-age=0, must-revalidate'],
  ['public, max-age=0', 'unsaid', 'private, max-age=0'],
  ['max-age=60, s-maxage=0', 'unsaid', 'private, max-age=60'],
  ['max-age=-1', 'unsaid', 'private, max-age=-1'],
  ['max-age', 'unsaid', 'private, max-age'],
  ['max-age=soon', 'unsaid', 'private, max-age=soon'],
  ['max-age=0, stale-while-revalidate', 'unsaid', 'private, max-age=0, stale-while-revalidate'],
  ['no-transform', 'unsaid', 'private, no-transform'],
  ['private; max-age=60', 'unsaid', 'private, private; max-age=60'],
  [' , ,', 'unsaid', 'private'],
  ['', 'unsaid', 'private']
]

t.test('what Cache-Control says, and how it is made private', async (t) => {
  for (const [value, sharing, asPrivate] of CACHE_CONTROL) {
    const expected = asPrivate === undefined ? {} : { 'cache-control': asPrivate }
    t.same(readCaching({ 'cache-control': value }), { sharing, asPrivate: expected }, `${value}`)
    if (asPrivate !== undefined)
      t.equal(readCaching({ 'cache-control': asPrivate }).sharing, 'private', 'and then it is')
  }
})

t.test('without Cache-Control nothing is said, unless Expires says it', async (t) => {
  const asPrivate = { 'cache-control': 'no-store' }
  t.same(readCaching({}), { sharing: 'unsaid', asPrivate })
  t.same(readCaching({ expires: FUTURE }), { sharing: 'shared', asPrivate })
  for (const expires of [PAST, '0', 'soon', '']) t.equal(readCaching({ expires }).sharing, 'unsaid', `${expires}`)
})

t.test('several lines of a field are one', async (t) => {
  const headers = { 'cache-control': ['max-age=60', 'no-store'] } as unknown as OutgoingHttpHeaders
  t.same(readCaching(headers), { sharing: 'private', asPrivate: {} })
})

t.test('a lifetime in Cache-Control outdoes Expires, and Expires outdoes public', async (t) => {
  const sharingOf = (value: string, expires: string): Sharing =>
    readCaching({ 'cache-control': value, expires }).sharing
  t.equal(sharingOf('max-age=0', FUTURE), 'unsaid')
  t.equal(sharingOf('max-age=60', PAST), 'shared')
  t.equal(sharingOf('no-transform', FUTURE), 'shared')
  t.equal(sharingOf('public', PAST), 'unsaid')
  t.equal(sharingOf('private', FUTURE), 'private')
  t.equal(sharingOf('no-cache', FUTURE), 'unsaid')
})

t.test(
  'a field for some caches rules those, whatever Cache-Control says, and the others go by Cache-Control',
  async (t) => {
    const cases: readonly (readonly [OutgoingHttpHeaders, Sharing, Readonly<Record<string, string>>])[] = [
      [
        { 'cache-control': 'private', 'cdn-cache-control': 'max-age=60' },
        'shared',
        { 'cdn-cache-control': 'no-store, max-age=60' }
      ],
      [
        { 'cache-control': 'no-store', 'surrogate-control': 'max-age=60' },
        'shared',
        { 'surrogate-control': 'no-store, max-age=60' }
      ],
      [
        { 'cache-control': 'no-store', 'surrogate-control': 'max-age=3600+600, content="ESI/1.0"' },
        'shared',
        { 'surrogate-control': 'no-store, max-age=3600+600, content="ESI/1.0"' }
      ],
      [
        { 'cache-control': 'public, max-age=60', 'cdn-cache-control': 'no-store' },
        'shared',
        { 'cache-control': 'private, max-age=60' }
      ],
      [
        { 'cdn-cache-control': 'public, s-maxage=60' },
        'shared',
        { 'cache-control': 'no-store', 'cdn-cache-control': 'no-store' }
      ],
      [
        { 'cache-control': 'private', 'cdn-cache-control': 'must-understand, no-store, max-age=60' },
        'shared',
        { 'cdn-cache-control': 'no-store, no-store, max-age=60' }
      ],
      [
        { 'cache-control': 'private', 'cdn-cache-control': 'private="x-user", max-age=60;x' },
        'shared',
        { 'cdn-cache-control': 'no-store, max-age=60;x' }
      ],
      [
        { 'cache-control': 'private', 'cdn-cache-control': 'no-cache' },
        'unsaid',
        { 'cdn-cache-control': 'no-store, no-cache' }
      ],
      [
        { 'cache-control': 'private', 'surrogate-control': 'content="ESI/1.0"' },
        'unsaid',
        { 'surrogate-control': 'no-store, content="ESI/1.0"' }
      ],
      [{ 'cache-control': 'private', 'cdn-cache-control': 'private' }, 'private', {}],
      [{ 'cache-control': 'private', 'cdn-cache-control': '' }, 'private', {}],
      [{ 'cache-control': 'private', 'x-cache': 'max-age=60' }, 'private', {}]
    ]
    for (const [headers, sharing, asPrivate] of cases) {
      t.same(readCaching(headers), { sharing, asPrivate }, JSON.stringify(headers))
      t.equal(readCaching({ ...headers, ...asPrivate }).sharing, 'private', 'and then it is private')
    }
  }
)

t.test('the fields of all vendors are known by their names', async (t) => {
  for (const vendor of ['cloudflare-cdn', 'vercel-cdn', 'netlify-cdn', 'akamai', 'x-litespeed']) {
    const headers = { 'cache-control': 'private', [`${vendor}-cache-control`]: 'max-age=60' }
    t.equal(readCaching(headers).sharing, 'shared', vendor)
  }
})

t.test('a long header takes no long time', async (t) => {
  const started = process.hrtime.bigint()
  for (const piece of [',', '"', '\\', '"\\', 'a="', '=,', ' ,']) readCaching({ 'cache-control': piece.repeat(8000) })
  t.ok(process.hrtime.bigint() - started < 1_000_000_000n)
})
