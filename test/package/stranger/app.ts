// What somebody writes who has read the README and nothing else.
import fastify from 'fastify'
import session, { getSession } from 'fastify-typed-session'

declare module 'fastify-typed-session' {
  interface SessionData {
    userId: number
    visits: number
    cart: Record<string, number>
  }
}

const app = fastify()
await app.register(session, { secret: process.env.SESSION_SECRET })

app.get('/', async (request) => {
  request.session.visits = (request.session.visits ?? 0) + 1
  return `visit ${request.session.visits}`
})

app.post('/login', async (request) => {
  await request.session.renew()
  request.session.userId = 7
  request.session.set('cart', { apple: 2 })
  return { ...request.session }
})

app.get('/me', async (request, reply) => {
  const { userId } = getSession(request)
  if (userId === undefined) return reply.code(401).send('Who are you?')
  return `user ${userId.toFixed()}, ${request.session.get('cart', {}).apple ?? 0} apples`
})

app.post('/logout', async (request) => {
  request.session.clear()
  return 'bye'
})

let cookie = ''
async function visit(method: 'GET' | 'POST', url: string): Promise<void> {
  const reply = await app.inject({ method, url, headers: cookie === '' ? {} : { cookie } })
  const [sent] = [reply.headers['set-cookie'] ?? []].flat()
  if (sent !== undefined) cookie = sent.includes('Max-Age=0') ? '' : (sent.split(';')[0] ?? '')
  console.log(`${method} ${url}: ${reply.statusCode} ${reply.body}`)
}

await visit('GET', '/me')
await visit('GET', '/')
await visit('GET', '/')
await visit('POST', '/login')
await visit('GET', '/me')
console.log(cookie)
await visit('POST', '/logout')
await visit('GET', '/me')
