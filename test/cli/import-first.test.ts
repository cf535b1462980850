import t from 'tap'
import { importFirst } from '../../lib/cli/import-first.ts'

const missing = (name: string) => async (): Promise<string> => (await import(name)).default

t.test('the first package that is installed is taken', async (t) => {
  const there = async (): Promise<string> => 'there'
  t.equal(await importFirst('It', { a: missing('a-package-that-nobody-has'), b: there }), 'there')
  t.equal(await importFirst('It', { a: missing('node:a-module-that-nobody-has'), b: there }), 'there')
  t.equal(await importFirst('It', { b: there, c: () => t.fail('imported') as never }), 'there')
})

t.test('an error says which packages fit', async (t) => {
  await t.rejects(importFirst('It', { a: missing('no-such-a'), b: missing('no-such-b') }), {
    message: /^It needs the package a or b, which is not installed\..* npm install b$/,
    exitCode: 1
  })
  await t.rejects(
    importFirst('It', {
      a: async () => {
        throw new RangeError('broken')
      }
    }),
    { message: 'broken' }
  )
})
