import t from 'tap'
import { REASONS } from '../../lib/inspector/reasons.ts'
import { read } from '../helpers/pages.ts'

t.test('every reason of docs/why-no-cookie.md has an explanation', async (t) => {
  const [, section = ''] = read('docs/why-no-cookie.md').split('## Reasons')
  const [tables = ''] = section.split('\n## ')
  const reasons = [...tables.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, reason = '']) => reason)
  t.same(Object.keys(REASONS).sort(), [...new Set(reasons)].sort())
  for (const [reason, words] of Object.entries(REASONS)) t.match(words, /^\w.{8,}[^.]$/, reason)
})
