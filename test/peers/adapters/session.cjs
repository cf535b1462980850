// Stands in for @fastify/session: a session with a store.
const plugin = require('fastify-plugin')
const { MemoryStore, session } = require('fastify-typed-session')

module.exports = plugin(
  async (app, { secret, cookie }) => {
    const store = new MemoryStore()
    await app.register(session, { secret: `${secret}, with some variety`, cookieName: 'sessionId', cookie, store })
  },
  { fastify: '5.x', name: 'session-adapter' }
)
