import { Readable } from 'node:stream'
import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { ReferenceFormat } from '../../lib/format/reference.ts'
import { SECRET } from '../helpers/app.ts'

t.test(
  'the command runs with the arguments, the output and the time of the process, and sets the exit code',
  async (t) => {
    const argv = process.argv
    const lines: string[] = []
    t.intercept(console, 'log', { value: (line: string) => lines.push(line) })
    t.teardown(() => {
      process.argv = argv
      process.exitCode = undefined
    })
    const now = Math.floor(Date.now() / 1000)
    const cookie = new ReferenceFormat(deriveKeys([Buffer.from(SECRET)], 'reference'), 'session').encode(
      'A'.repeat(43),
      now
    )
    t.intercept(process, 'stdin', { value: Readable.from([cookie]) })
    process.argv = ['node', 'fastify-typed-session', 'inspect', '-']
    await import('../../lib/cli/bin.ts')
    t.equal(process.exitCode, 0)
    t.match(lines, [/^last active +\S+ \([0-5] s ago\)$/m])
  }
)
