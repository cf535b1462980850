import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import type { RaceSuite } from '../../../lib/testing/race-suite/index.ts'
import { testRaces } from '../../../lib/testing/race-suite/index.ts'
import { collect } from '../collect.ts'

const ROOT = join(import.meta.dirname, '../../..')

function racesWith(suite: Omit<RaceSuite, 'test'>): Map<string, () => Promise<void>> {
  return collect((test) => testRaces({ ...suite, test }))
}

t.test('under tap', async (t) => {
  testRaces({
    test: (name, run) => t.test(name, run),
    open: (clock, other) => other ?? new MemoryStore({ clock })
  })
})

t.test('under node:test', async (t) => {
  const directory = t.testdir({
    'races.test.ts': `
      import { test } from 'node:test'
      import { MemoryStore } from ${JSON.stringify(join(ROOT, 'lib/index.ts'))}
      import { testRaces } from ${JSON.stringify(join(ROOT, 'lib/testing/index.ts'))}

      testRaces({ test, open: (clock, other) => other ?? new MemoryStore({ clock }) })
    `
  })
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = process.env
  const strip = join(ROOT, 'test/helpers/strip-types.mjs')
  const parameters = [`--import=${strip}`, '--test', '--test-reporter=tap', join(directory, 'races.test.ts')]
  const { status, stdout } = spawnSync(process.execPath, parameters, { env, encoding: 'utf8' })
  t.equal(status, 0, stdout)
  for (const name of racesWith({ open: () => new MemoryStore() }).keys()) t.ok(stdout.includes(`- ${name}\n`), name)
})

t.test('tests of a known weakness are skipped, and their names say so', async (t) => {
  const open = (): never => t.fail('no store is needed') as never
  const all = [...racesWith({ open }).keys()]
  for (const [weakness, least] of [
    ['atomicity', 8],
    ['owners', 3]
  ] as const) {
    const tests = racesWith({ open, without: [weakness] })
    const skipped = [...tests].filter(([name]) => name.startsWith(`skipped (${weakness}): `))
    t.ok(skipped.length >= least)
    for (const [, run] of skipped) await run()
    t.same(
      [...tests.keys()].map((name) => name.replace(`skipped (${weakness}): `, '')),
      all,
      'the other tests stay'
    )
  }
})

t.test('no test waits forever, whatever the store does', async (t) => {
  class Forgetful extends MemoryStore {
    override load(): undefined {
      return undefined
    }
  }
  class Down extends MemoryStore {
    override load(): never {
      throw new Error('out of order')
    }
  }
  for (const Store of [Forgetful, Down]) {
    for (const [name, run] of racesWith({ open: (clock, other) => other ?? new Store({ clock }) })) {
      await t.rejects(run(), { code: 'ERR_ASSERTION' }, name)
    }
  }
})
