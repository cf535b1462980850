import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { Decisions } from '../../lib/inspector/decisions.ts'
import type { SessionReason } from '../../types/diagnostics.ts'

const AT = new Date(1_763_640_000_000)

function requestOf(url: string, method = 'GET', touch = true): FastifyRequest {
  return { url, method, routeOptions: { config: { session: { touch } } } } as FastifyRequest
}

function tell(
  decisions: Decisions,
  request: FastifyRequest,
  phase: 'open' | 'commit',
  reason: SessionReason,
  id?: string
): void {
  decisions.note({ request, phase, reason, id, decorator: 'session', cookieName: 'session' }, AT)
}

t.test('a request is one decision, without its query', async (t) => {
  const decisions = new Decisions()
  const request = requestOf('/cart?token=secret', 'POST')
  tell(decisions, request, 'open', 'opened', 'a')
  t.same(decisions.of('a'), [], 'not before it is decided')
  tell(decisions, request, 'commit', 'changed', 'a')
  t.same(decisions.of('a'), [{ at: AT, method: 'POST', path: '/cart', opened: 'opened', committed: 'changed' }])
  tell(decisions, request, 'commit', 'headers-sent', 'a')
  t.match(decisions.of('a'), [{ opened: 'opened', committed: 'headers-sent' }])
  t.equal(decisions.of('a').length, 1, 'what is decided later on the same request takes its place')
  t.same(decisions.of('b'), [])
})

t.test('a session that was not used has no handle, and so no decision', async (t) => {
  const decisions = new Decisions()
  tell(decisions, requestOf('/'), 'commit', 'untouched')
  tell(decisions, requestOf('/'), 'commit', 'rekeyed', 'a')
  t.match(decisions.of('a'), [{ opened: undefined, committed: 'rekeyed' }])
})

t.test('a new id starts with the request that created it', async (t) => {
  const decisions = new Decisions()
  tell(decisions, requestOf('/private'), 'commit', 'changed', 'old')
  const login = requestOf('/login', 'POST')
  tell(decisions, login, 'open', 'opened', 'old')
  tell(decisions, login, 'commit', 'renewed', 'new')
  t.same(
    decisions.of('new').map(({ path }) => path),
    ['/login']
  )
})

t.test('a request without activity is left out, unless it changes something', async (t) => {
  const decisions = new Decisions()
  for (const reason of ['untouched', 'unchanged', 'empty'] as const) {
    tell(decisions, requestOf('/poll', 'GET', false), 'commit', reason, 'a')
    t.same(decisions.of('a'), [], reason)
  }
  tell(decisions, requestOf('/poll', 'GET', false), 'commit', 'changed', 'a')
  tell(decisions, requestOf('/page'), 'commit', 'unchanged', 'a')
  t.same(
    decisions.of('a').map(({ committed }) => committed),
    ['unchanged', 'changed']
  )
})

t.test('the last five of a session are kept, newest first', async (t) => {
  const decisions = new Decisions()
  for (let page = 1; page <= 7; page++) tell(decisions, requestOf(`/${page}`), 'commit', 'changed', 'a')
  t.same(
    decisions.of('a').map(({ path }) => path),
    ['/7', '/6', '/5', '/4', '/3']
  )
})

t.test('the sessions that were used last are kept, and never more than a thousand', async (t) => {
  const decisions = new Decisions()
  for (let session = 0; session < 1000; session++) tell(decisions, requestOf('/'), 'commit', 'created', `${session}`)
  tell(decisions, requestOf('/again'), 'commit', 'changed', '0')
  tell(decisions, requestOf('/'), 'commit', 'created', 'one more')
  t.equal(decisions.of('0').length, 2)
  t.same(decisions.of('1'), [])
  t.equal(decisions.of('999').length, 1)
  t.equal(decisions.of('one more').length, 1)
})
