// What somebody writes who has two kinds of users.
import fastify from 'fastify'
import session from 'fastify-typed-session'
import login, { getLogin, getLoginGuards } from 'fastify-typed-session/login'

interface Admin {
  id: number
  email: string
}

declare module 'fastify-typed-session/login' {
  interface User {
    id: number
    name: string
  }
  interface LoginUsers {
    adminUser: Admin
  }
}

const ada = { id: 1, name: 'Ada' }
const root = { id: 1, email: 'root@shop.test' }

const secret = process.env.SESSION_SECRET
const app = fastify()
await app.register(session, { secret })
await app.register(session, { secret, decorator: 'adminSession', cookieName: 'admin' })
await app.register(login, { loadUser: () => ada, getId: (user) => user.id.toFixed() })
await app.register(login<'adminUser'>, {
  userDecorator: 'adminUser',
  decorator: 'adminSession',
  loadUser: () => root,
  getId: (admin) => admin.email,
  loginPath: ({ url }) => (url.startsWith('/de/') ? '/de/admin/login' : '/admin/login')
})

app.post('/admin/login', async (request) => {
  await getLogin(request, 'adminUser').login(root)
  return { user: request.user?.name, admin: request.adminUser?.email }
})
const { loginRequired } = getLoginGuards(app, 'adminUser')
app.get(
  '/admin',
  loginRequired().handle(async (request) => request.adminUser.email)
)
app.get(
  '/me',
  app.loginRequired().handle(async (request) => request.user.name)
)

const reply = await app.inject({ method: 'POST', url: '/admin/login' })
const [cookie = ''] = String(reply.headers['set-cookie']).split(';')
console.log(reply.body)
for (const url of ['/admin', '/me']) {
  const { statusCode, body } = await app.inject({ url, headers: { cookie } })
  console.log(statusCode === 200 ? `${url}: ${body}` : `${url}: ${statusCode}`)
}
