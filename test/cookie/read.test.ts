import fc from 'fast-check'
import t from 'tap'
import { cookiesNamed, findCookie } from '../../lib/cookie/read.ts'

/** Returns all values of a cookie in a header. */
function findAll(header: string, name = 'session'): string[] {
  return [...cookiesNamed(header, name)]
}

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

t.test('spaces and empty cookies around a cookie do not matter', (t) => {
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

t.test('only spaces and tabs are trimmed from the end of a value, so that it has one spelling', (t) => {
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

t.test('a name with special characters is not a pattern', (t) => {
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

t.test('values are found one by one, on demand', (t) => {
  const cookies = cookiesNamed('session=1; session=2', 'session')
  t.same(cookies.next(), { done: false, value: '1' })
  t.same(cookies.next(), { done: false, value: '2' })
  t.same(cookies.next(), { done: true, value: undefined })
  t.same(cookiesNamed('', 'session').next(), { done: true, value: undefined })
  t.end()
})
