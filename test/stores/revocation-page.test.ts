import t from 'tap'
import { toPage } from '../../lib/stores/revocation-page.ts'

t.test('rows become a page whose position is that of the last one', (t) => {
  const entry = { kind: 'session', id: 'a', until: 5 }
  const rows = [
    { number: '7', mark: 'm', entry: JSON.stringify(entry) },
    { number: 8, mark: 'n', entry: null }
  ]
  t.same(toPage(rows, '6 l', 2), { entries: [entry], position: '8 n', hasMore: true })
  t.same(toPage(rows, '6 l', 3), { entries: [entry], position: '8 n', hasMore: false }, 'what is over leads on')
  t.same(toPage([], '6 l', 2), { entries: [], position: '6 l', hasMore: false })
  t.end()
})
