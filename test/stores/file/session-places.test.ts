import t from 'tap'
import type { LogPage } from '../../../lib/stores/file/revocation-log.ts'
import { START } from '../../../lib/stores/file/revocation-log.ts'
import { SessionPlaces } from '../../../lib/stores/file/session-places.ts'

function pageOf(page: Partial<LogPage>): LogPage {
  return { epoch: 'E', after: START, entries: [], position: 'E 90', hasMore: false, isTorn: false, size: 90, ...page }
}

const session = (id: string): { kind: 'session'; id: string; until: number } => ({ kind: 'session', id, until: 1 })

t.test('each session is where it was added last', async (t) => {
  const places = new SessionPlaces()
  t.equal(places.position, START)
  t.equal(places.of('a'), undefined)
  const all = { kind: 'all', before: 1, until: 1 } as const
  t.ok(places.note(pageOf({ entries: [session('a'), all, session('b')].map((entry, at) => ({ entry, at })) })))
  t.equal(places.position, 'E 90')
  t.ok(places.note(pageOf({ after: 'E 90', entries: [{ entry: session('a'), at: 90 }], position: 'E 99' })))
  t.same([places.of('a'), places.of('b'), places.of('ada')], ['E 90', 'E 2', undefined])
})

t.test('a page that is not the next one is not learnt', async (t) => {
  const places = new SessionPlaces()
  t.notOk(places.note(pageOf({ after: 'E 90', entries: [{ entry: session('a'), at: 90 }] })))
  t.equal(places.of('a'), undefined)
  t.equal(places.position, START)
  t.ok(places.note(pageOf({})))
  t.notOk(places.note(pageOf({ epoch: 'F', entries: [{ entry: session('a'), at: 60 }], position: 'F 99' })))
  t.equal(places.of('a'), undefined)
  places.clear()
  t.ok(places.note(pageOf({ epoch: 'F', entries: [{ entry: session('a'), at: 60 }], position: 'F 99' })))
  t.equal(places.of('a'), 'F 60')
})
