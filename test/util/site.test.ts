import { readFileSync } from 'node:fs'
import t from 'tap'
import { SITE } from '../../lib/util/site.ts'

t.test('the site is the home page of the package', async (t) => {
  t.equal(SITE, JSON.parse(readFileSync('package.json', 'utf8')).homepage)
})
