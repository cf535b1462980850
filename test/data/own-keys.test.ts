import t from 'tap'
import { hasTheirs, OWN_KEYS, splitData } from '../../lib/data/own-keys.ts'

t.test('data are what the application has put into a session, apart from what this package has', async (t) => {
  const data = {
    next: '/me',
    visits: 1,
    _sent: { times: 1 },
    _login: { id: '7' },
    _acting: { id: '8' },
    _csrf: 'x',
    name: undefined
  }
  t.strictSame(splitData(data), {
    own: { next: '/me', _sent: { times: 1 }, _login: { id: '7' }, _acting: { id: '8' } },
    theirs: { visits: 1, _csrf: 'x', name: undefined }
  })
  t.strictSame(Object.keys(splitData({}).own), OWN_KEYS)
})

t.test('the data are a copy', async (t) => {
  const data = { visits: 1 }
  splitData(data).theirs.visits = 2
  t.equal(data.visits, 1)
})

t.test('a login and a page to come back to are nothing that the application has put in', async (t) => {
  t.equal(hasTheirs({}), false)
  t.equal(hasTheirs({ next: '/me', _sent: {}, _login: {}, _acting: {} }), false)
  t.equal(hasTheirs({ next: '/me', visits: 1 }), true)
})
