import t from 'tap'
import { resolveOptions } from '../../lib/options.ts'
import { run } from '../helpers/run-cli.ts'

t.test('secret prints 32 random bytes that the plugin accepts', async (t) => {
  t.match((await run(['secret'])).out, /^[0-9a-f]{64}$/)
  t.match((await run(['secret', '--format', 'hex'])).out, /^[0-9a-f]{64}$/)
  t.match((await run(['secret', '--format=base64url'])).out, /^[\w-]{43}$/)
  t.not((await run(['secret'])).out, (await run(['secret'])).out)
  for (const format of ['hex', 'base64url']) {
    const { out: secret } = await run(['secret', '--format', format])
    t.doesNotThrow(() => resolveOptions({ secret }))
  }
})

t.test('a wrong command line is explained', async (t) => {
  t.match(await run(['secret', 'extra']), { code: 2, err: /secret takes no argument/ })
  t.match(await run(['secret', '--format', 'base32']), { code: 2, err: /--format must be hex or base64url/ })
  t.match(await run(['secret', '--name', 'x']), { code: 2, err: /--name/ })
})
