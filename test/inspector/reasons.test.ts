import t from 'tap'
import { explainReason, REASONS } from '../../lib/inspector/reasons.ts'
import { read } from '../helpers/pages.ts'

t.test('every reason of docs/why-no-cookie.md has an explanation', async (t) => {
  const [, section = ''] = read('docs/why-no-cookie.md').split('## Reasons')
  const [tables = ''] = section.split('\n## ')
  const reasons = [...tables.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, reason = '']) => reason)
  t.same(Object.keys(REASONS).sort(), [...new Set(reasons)].sort())
  for (const [reason, words] of Object.entries(REASONS)) t.match(words, /^\w.{8,}[^.]$/, reason)
})

t.test('a change is said to be where it went', async (t) => {
  t.equal(explainReason('changed', false), 'the session changed: cookie sent')
  t.equal(explainReason('changed', true), 'the session changed: written to the store')
  t.equal(explainReason('created', true), REASONS.created)
})
