const fastify = require('fastify')
const { session, getSession } = require('fastify-typed-session')
const { exports: doors, name } = require('fastify-typed-session/package.json')

async function answer(plugin) {
  const app = fastify()
  app.register(plugin, { secret: process.env.SESSION_SECRET })
  app.get('/', async (request) => getSession(request).setDefault('mode', 'require'))
  const { statusCode, body } = await app.inject('/')
  return `${statusCode} ${body}`
}

async function main() {
  const whole = require('fastify-typed-session')
  const keys = Object.keys(whole).filter((key) => key !== '__esModule')
  console.log(await answer(session), await answer(whole), keys.sort().join(' '), whole.default === session, name)
  for (const path of Object.keys(doors).filter((key) => key !== '.' && key !== './package.json')) {
    const part = Object.keys(require(`fastify-typed-session${path.slice(1)}`)).filter((key) => key !== '__esModule')
    console.log(`${path.slice(2)}: ${part.sort().join(' ')}`)
  }
}

main()
