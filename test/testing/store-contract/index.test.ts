import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import type { StoreSuite } from '../../../lib/testing/store-contract/index.ts'
import { testStore } from '../../../lib/testing/store-contract/index.ts'
import { collect } from '../collect.ts'

const ROOT = join(import.meta.dirname, '../../..')

function testsWith(suite: Omit<StoreSuite, 'test'>): Map<string, () => Promise<void>> {
  return collect((test) => testStore({ ...suite, test }))
}

t.test('under tap', async (t) => {
  testStore({ test: (name, run) => t.test(name, run), open: (clock) => new MemoryStore({ clock }) })
})

t.test('under node:test', async (t) => {
  const directory = t.testdir({
    'store.test.ts': `
      import { test } from 'node:test'
      import { MemoryStore } from ${JSON.stringify(join(ROOT, 'lib/index.ts'))}
      import { testStore } from ${JSON.stringify(join(ROOT, 'lib/testing/index.ts'))}

      testStore({ test, open: (clock) => new MemoryStore({ clock }) })
    `
  })
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = process.env
  const strip = join(ROOT, 'test/helpers/strip-types.mjs')
  const parameters = [`--import=${strip}`, '--test', '--test-reporter=tap', join(directory, 'store.test.ts')]
  const { status, stdout } = spawnSync(process.execPath, parameters, { env, encoding: 'utf8' })
  t.equal(status, 0, stdout)
  for (const name of testsWith({ open: () => new MemoryStore() }).keys()) t.ok(stdout.includes(`- ${name}\n`), name)
})

t.test('tests of a known weakness are skipped, and their names say so', async (t) => {
  const open = (): never => t.fail('no store is needed') as never
  const all = [...testsWith({ open }).keys()]
  for (const weakness of ['atomicity', 'owners'] as const) {
    const tests = testsWith({ open, without: [weakness] })
    const skipped = [...tests].filter(([name]) => name.startsWith(`skipped (${weakness}): `))
    t.ok(skipped.length > 3)
    for (const [, run] of skipped) await run()
    t.same(
      [...tests.keys()].map((name) => name.replace(`skipped (${weakness}): `, '')),
      all,
      'the other tests stay'
    )
  }
})
