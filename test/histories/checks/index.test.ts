import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { CHECKS, judge } from '../../../histories/checks/index.ts'
import { entry, history, increment, read, saw } from '../../helpers/histories.ts'

t.test('every check has a file of its name, and all of them judge a history', async (t) => {
  const files = readdirSync(join(import.meta.dirname, '../../../histories/checks'))
  for (const name of Object.keys(CHECKS)) t.ok(files.includes(`${name}.ts`), name)
  const entries = [entry(0, 1000, increment(1)), entry(1001, 1002, read(), saw({}))]
  t.same(
    judge(history(entries)).map(({ check }) => check),
    ['counts', 'deadlines']
  )
})
