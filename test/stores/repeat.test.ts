import t from 'tap'
import { repeat } from '../../lib/stores/repeat.ts'

t.test('it tries until it succeeds, or may not go on', async (t) => {
  let tries = 0
  const attempt = async (): Promise<string> => {
    if (++tries % 4 !== 0) throw new Error(`attempt ${tries}`)
    return 'done'
  }
  const failures: unknown[] = []
  t.equal(await repeat(attempt, (error) => failures.push((error as Error).message)), 'done')
  t.same(failures, ['attempt 1', 'attempt 2', 'attempt 3'])
  const refuse = (error: unknown): never => {
    throw error
  }
  await t.rejects(repeat(attempt, refuse), { message: 'attempt 5' })
  t.equal(tries, 5)
})
