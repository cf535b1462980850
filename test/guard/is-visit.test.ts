import t from 'tap'
import { isVisit } from '../../lib/guard/is-visit.ts'

t.test('a page that the browser will show in its window is visited', async (t) => {
  for (const headers of [
    {},
    { 'sec-fetch-dest': 'document' },
    { 'sec-fetch-dest': 'document', 'sec-fetch-user': '?1' },
    { purpose: 'other' }
  ]) {
    t.equal(isVisit({ raw: { headers } }), true, JSON.stringify(headers))
  }
})

t.test('a page that is fetched in advance, or for a frame, is not', async (t) => {
  for (const headers of [
    { 'sec-purpose': 'prefetch', 'sec-fetch-dest': 'document' },
    { 'sec-purpose': 'prefetch;prerender', 'sec-fetch-dest': 'document' },
    { purpose: 'Prefetch' },
    { 'x-moz': 'prefetch' },
    ...['iframe', 'frame', 'object', 'embed', 'fencedframe', 'empty', ''].map((dest) => ({ 'sec-fetch-dest': dest }))
  ]) {
    t.equal(isVisit({ raw: { headers } }), false, JSON.stringify(headers))
  }
})
