import fastify from 'fastify'
import byDefault, * as all from 'fastify-typed-session'
import manifest from 'fastify-typed-session/package.json' with { type: 'json' }

const app = fastify()
app.register(byDefault, { secret: process.env.SESSION_SECRET })
app.get('/', async (request) => all.getSession(request).setDefault('mode', 'import'))
const { statusCode, body } = await app.inject('/')
console.log(statusCode, body, Object.keys(all).sort().join(' '), byDefault === all.session, manifest.name)

for (const path of Object.keys(manifest.exports).filter((key) => key !== '.' && key !== './package.json')) {
  const part = await import(`fastify-typed-session${path.slice(1)}`)
  console.log(`${path.slice(2)}: ${Object.keys(part).sort().join(' ')}`)
}
