import t from 'tap'
import { renderInspection, renderPage } from '../../lib/inspector/page.ts'
import type { InspectedSession, SessionInspection } from '../../types/inspector.ts'

const AT = new Date('2026-11-21T12:00:00Z')
const after = (seconds: number): Date => new Date(AT.getTime() + seconds * 1000)

const SESSION: InspectedSession = {
  id: 'a-handle',
  isNew: false,
  ownerId: undefined,
  permanent: false,
  createdAt: after(-90_061),
  lastSeenAt: AT,
  idleExpiresAt: after(299),
  absoluteExpiresAt: after(2 * 86_400),
  schemaVersion: undefined,
  device: undefined,
  data: { names: ['<Ada>'] },
  size: { bytes: 150, limit: 4096, keys: { names: 17 } }
}

const INSPECTION: SessionInspection = {
  at: AT,
  mode: 'signed',
  cookieName: 'sid',
  cookie: {
    value: 's2abc.def',
    bytes: 12,
    limit: 4096,
    parts: [
      { name: 'format', text: 's2', meaning: 'signed', access: 'readable' },
      { name: 'key id', text: 'abc', meaning: 'which secret', access: 'readable' },
      { name: 'session', text: 'def', meaning: '<b>data</b>', access: 'sealed' }
    ]
  },
  opened: 'opened',
  session: SESSION,
  decisions: [
    { at: AT, method: 'POST', path: '/<b>', opened: 'opened', committed: 'changed' },
    { at: AT, method: 'GET', path: '/', opened: undefined, committed: 'rekeyed' }
  ]
}

function render(changes: Partial<SessionInspection> = {}): string {
  return renderInspection({ ...INSPECTION, ...changes }, '/style.css')
}

t.test('the cookie is shown as the browser has it, in its parts', async (t) => {
  const body = render()
  t.match(
    body,
    '<code id="cookie-value">sid=<span class="part readable">s2</span><span class="part readable">abc</span>.<span class="part sealed">def</span></code>'
  )
  t.match(body, '12 of 4096 bytes <meter min="0" max="4096" value="12" aria-label="Size of the cookie">12</meter>')
  t.match(
    body,
    '<dt>session <small>3 characters</small> <span class="access sealed">sealed</span></dt><dd>&#60;b&#62;data&#60;/b&#62;</dd>'
  )
  t.match(render({ cookie: undefined }), 'The browser sent no cookie')
})

t.test('times show their distance in at most two units', async (t) => {
  const body = render()
  t.match(body, '<time datetime="2026-11-20T10:58:59.000Z">2026-11-20 10:58:59 UTC</time>, 1 d 1 h ago')
  t.match(
    body,
    '<dt>Last activity</dt><dd><time datetime="2026-11-21T12:00:00.000Z">2026-11-21 12:00:00 UTC</time>, 0 s ago'
  )
  t.match(body, '</time>, in 4 min 59 s</dd>')
  t.match(body, '</time>, in 2 d</dd>')
  t.match(body, '<dt>On this request</dt><dd><code>opened</code>: the cookie opened</dd>')
})

t.test('a session shows its owner and how long the browser keeps it', async (t) => {
  t.match(render(), '<dt>Owner</dt><dd>nobody</dd>')
  t.match(render(), '<dt>The cookie</dt><dd>ends with the browser</dd>')
  const body = render({ session: { ...SESSION, ownerId: 'ana', permanent: true, isNew: true } })
  t.match(body, '<dt>Owner</dt><dd>ana</dd>')
  t.match(body, '<dt>The cookie</dt><dd>outlives the browser</dd>')
  t.match(body, '<dt>Created</dt><dd>with this request</dd>')
})

t.test('a session shows the version of its schema, if it has one', async (t) => {
  t.notMatch(render(), 'Schema')
  t.match(render({ session: { ...SESSION, schemaVersion: 3 } }), '<dt>Schema</dt><dd>version 3</dd>')
})

t.test('a session shows the device to which it is bound, if it is', async (t) => {
  t.notMatch(render(), 'Bound to a device')
  const boundAt = new Date('2026-01-02T03:04:05Z')
  const bound = render({ session: { ...SESSION, device: { boundAt, lastProofAt: boundAt } } })
  t.match(bound, /<dt>Bound to a device<\/dt><dd><time datetime="2026-01-02T03:04:05.000Z">/)
  t.match(bound, /<dt>Last proof of it<\/dt><dd><time/)
  const unproved = render({ session: { ...SESSION, device: { boundAt, lastProofAt: undefined } } })
  t.match(unproved, '<dt>Last proof of it</dt><dd>none with this request</dd>')
})

t.test('each key is shown with its value, its size and its share', async (t) => {
  t.match(
    render(),
    '<dt><code>names</code> <small>17 bytes</small> <meter min="0" max="150" value="17" aria-label="Share of names">17</meter></dt><dd><code>[&#34;&#60;Ada&#62;&#34;]</code></dd>'
  )
  t.match(render(), '150 of 4096 bytes, as a cookie')
  const stored = render({ mode: 'stored', session: { ...SESSION, size: { ...SESSION.size, limit: 1_048_576 } } })
  t.match(stored, '150 of 1048576 bytes of JSON in the store')
  const empty = render({ session: { ...SESSION, data: {}, size: { bytes: 0, limit: 4096, keys: {} } } })
  t.match(empty, 'The session holds no data')
  const long = render({ session: { ...SESSION, data: { names: 'x'.repeat(5000) } } })
  t.match(long, `&#34;${'x'.repeat(3999)}…`)
  t.match(
    render({ session: { ...SESSION, data: { a: 1 }, size: { ...SESSION.size, keys: { a: 1 } } } }),
    '<small>1 byte</small>'
  )
})

t.test('each decision is shown with its request and its reasons', async (t) => {
  const body = render()
  t.match(
    body,
    '<dt><code>POST /&#60;b&#62;</code> <small><time datetime="2026-11-21T12:00:00.000Z">12:00:00</time></small></dt>'
  )
  t.match(body, '<dd><code>opened</code>: the cookie opened<br><code>changed</code>: the session changed')
  t.match(body, '<dd>no handler used the session<br><code>rekeyed</code>')
  t.match(render({ decisions: [] }), 'None yet')
})

t.test('the default page has one heading of the first level and a language', async (t) => {
  const body = renderPage(render())
  t.match(body, /^<!doctype html>\n<html lang="en">/)
  t.equal(body.match(/<h1>/g)?.length, 1)
  t.match(body, '<div class="session-inspector">')
})
