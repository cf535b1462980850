import { readFileSync } from 'node:fs'
import t from 'tap'

const readOf = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

t.test('GitHub runs every step of .ci/run', async (t) => {
  const [, list = ''] = /^steps=\(\n([\s\S]*?)^\)/m.exec(readOf('.ci/run')) ?? []
  const steps = [...list.matchAll(/^ {2}['"](\w+) /gm)].map(([, name = '']) => name)
  t.ok(steps.length > 10)
  const called = [...readOf('.github/workflows/ci.yml').matchAll(/\.ci\/run (.*)$/gm)].flatMap(([, names = '']) =>
    names.split(' ')
  )
  t.same(
    steps.filter((step) => !called.includes(step)),
    []
  )
  t.same(
    called.filter((name) => !steps.includes(name)),
    []
  )
})
