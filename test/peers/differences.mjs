/** The tests of other packages that fail here on purpose: `suite/file: test`, and why. */
export const DIFFERENCES = [
  {
    reason: 'A cookie is sent when it has something new to say; @fastify/session sends it with every reply.',
    tests: [
      'csrf-protection/basic: Fastify Session > Token in body',
      'csrf-protection/basic: Fastify Session > Token in headers'
    ]
  },
  {
    reason:
      'There is no `session.changed` and no `session.deleted`: the log, the channel and `Session-Trace` say what is saved.',
    tests: ['secure-session/access: session is changed']
  },
  {
    reason: '`session.delete(key)` removes one key, as in a Map. `session.destroy()` ends the session.',
    tests: [
      'secure-session/access: session is deleted',
      'secure-session/multi: it should handle multiple sessions properly'
    ]
  },
  {
    reason:
      'There are no tools to encode and decode by hand: `/testing` has them for tests, the command `inspect` for people.',
    tests: [
      'secure-session/decorators: it exposes encode and decode decorators for other libraries to use',
      'secure-session/decorators: creates an empty session when the cipher is not long enough',
      'secure-session/decorators: creates an empty session when decryption fails',
      'secure-session/multi: decorators should handle multiple sessions properly'
    ]
  },
  {
    reason:
      'The server judges how long a session lives. A cookie has a `Max-Age` that follows from that, and no `Expires`.',
    tests: ['secure-session/delete: Deletes the cookie']
  },
  {
    reason:
      '`session.options({ maxAge })` is refused, for the same reason: `session.permanent` and the timeouts replace it.',
    tests: [
      'secure-session/dynamic-cookie-options: Custom options',
      'secure-session/dynamic-cookie-options: Override global options',
      'secure-session/http-only: Override global options does not change httpOnly default'
    ]
  },
  {
    reason:
      'A secret that is too short is refused in our words. A long one and any salt are fine: the keys are derived from it.',
    tests: [
      'secure-session/key: does not support key length shorter than sodium "crypto_secretbox_KEYBYTES"',
      'secure-session/key: does not support key length greater than sodium "crypto_secretbox_KEYBYTES"',
      'secure-session/secret: throws when secret is less than 32 bytes',
      'secure-session/secret: throws when salt is less than sodium.crypto_pwhash_SALTBYTES'
    ]
  },
  {
    reason: 'An empty session has no cookie, also if it is touched.',
    tests: ['secure-session/touch: Sends cookies when touch is invoked and session data has not changed']
  }
]
