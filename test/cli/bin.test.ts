import t from 'tap'

t.test('the command prints a secret and sets the exit code', async (t) => {
  const argv = process.argv
  const lines: unknown[] = []
  t.intercept(console, 'log', { value: (line: unknown) => lines.push(line) })
  t.teardown(() => {
    process.argv = argv
    process.exitCode = undefined
  })
  process.argv = ['node', 'fastify-typed-session', 'secret']
  await import('../../lib/cli/bin.ts')
  t.equal(process.exitCode, 0)
  t.match(lines, [/^[0-9a-f]{64}$/])
})
