import t from 'tap'
import { readKeys } from '../../lib/flask/options.ts'
import type { FlaskKeyOptions } from '../../types/flask.ts'

const KEY = '192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf'
const INVALID = 'ERR_SESSION_OPTION_INVALID'

function read(options: object): ReturnType<typeof readKeys> {
  return readKeys(options as FlaskKeyOptions)
}

t.test('a key is enough: everything else is as in Flask', (t) => {
  const bytes = new TextEncoder().encode(KEY)
  t.same(read({ secretKey: KEY }), { keys: [bytes], salt: 'cookie-session', digest: 'sha1' })
  const fallbacks = ['_5#y2L"F4Q8z-xec', Uint8Array.from(bytes.slice(0, 16))]
  const { keys, ...others } = read({ secretKey: bytes, fallbacks, salt: 's', digest: 'sha256' })
  t.equal(keys.length, 3)
  t.same(others, { salt: 's', digest: 'sha256' })
  t.end()
})

t.test('a wrong key is refused, and not shown', (t) => {
  const refused = (options: object, code: string, name: RegExp): void => {
    t.throws(() => read(options), { code, message: name })
  }
  for (const secretKey of [undefined, null, ''])
    refused({ secretKey }, 'ERR_SESSION_SECRET_MISSING', /^The option secretKey is missing/)
  refused({ secretKey: 5 }, INVALID, /^The option secretKey must be a string or bytes; it is a number\.$/)
  refused({ secretKey: 'dev' }, 'ERR_SESSION_SECRET_WEAK', /^The option secretKey must have at least 16 .* it has 3\./)
  refused({ secretKey: 'change me '.repeat(5) }, 'ERR_SESSION_SECRET_WEAK', /^The option secretKey (?!.*change me)/)
  refused({ secretKey: 'super secret key' }, 'ERR_SESSION_SECRET_WEAK', /^The option secretKey is made of words/)
  refused({ secretKey: KEY, fallbacks: ['dev'] }, 'ERR_SESSION_SECRET_WEAK', /^The option fallbacks\[0\] must/)
  refused({ secretKey: KEY, fallbacks: KEY }, INVALID, /^The option fallbacks must be an array/)
  refused({ secretKey: KEY, fallbacks: [new TextEncoder().encode(KEY)] }, INVALID, /are the same/)
  refused({ secretKey: KEY, salt: 1 }, INVALID, /^The option salt must be a string/)
  refused({ secretKey: KEY, digest: 'md5' }, INVALID, /^The option digest must be one of sha1, /)
  t.end()
})
