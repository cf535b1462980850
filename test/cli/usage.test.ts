import t from 'tap'
import { USAGE } from '../../lib/cli/usage.ts'
import { read } from '../helpers/pages.ts'

t.test('the usage and the page of the command line have every command', async (t) => {
  for (const command of ['secret', 'inspect', 'migrate', 'prune', 'sessions', 'revoke']) {
    t.match(USAGE, new RegExp(`^  ${command} `, 'm'))
    t.match(read('docs/command-line.md'), `fastify-typed-session ${command}`)
  }
  t.ok(USAGE.split('\n').every((line) => line.length <= 132))
})
