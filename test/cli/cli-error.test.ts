import t from 'tap'
import { CliError, usageError } from '../../lib/cli/cli-error.ts'

t.test('an error for the terminal has an exit code', (t) => {
  t.match(new CliError('down', 1), { message: 'down', exitCode: 1 })
  t.match(usageError('wrong'), { message: 'wrong', exitCode: 2 })
  t.end()
})
