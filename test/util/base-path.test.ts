import t from 'tap'
import { isBasePath } from '../../lib/util/base-path.ts'

t.test('a base path is spelled as the URL standard spells it, without a slash at its end', async (t) => {
  for (const path of ['/app', '/a/b', '/a.b-c_d~', '/%C3%BC', '/:a']) t.ok(isBasePath(path), path)
  for (const path of [
    ...['', '/', '/app/', '//app', '/a/../b', '/./app', '/.//app', '/a b', '/ü', '/\\app', '/app?a', '/app#a', 'app'],
    ...['https://app.example', '//[', 7, null, undefined, ['/app']]
  ]) {
    t.notOk(isBasePath(path), String(path))
  }
})
