import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import websocket from '@fastify/websocket'
import fastify from 'fastify'
import session, { requireSession, type Session } from 'fastify-typed-session'
import { same } from '../expect.ts'

const app = fastify()
await app.register(websocket)
await app.register(session, { secret: process.env.SESSION_SECRET })

app.get('/socket', { websocket: true }, (socket, request) => {
  same<typeof request.session, Session>(true)
  socket.on('message', async () => {
    same<typeof request.session.visits, number | undefined>(true)
    await request.session.commit()
  })
})
app.route({
  method: 'GET',
  url: '/both',
  handler: async ({ session }) => session.visits,
  wsHandler: (_socket, request) => {
    same<typeof request.session, Session>(true)
    return request.session.commit()
  }
})

// The routes of `@fastify/websocket` are one more way to read the options of a guarded route.
app.get<{ Params: { room: string } }>(
  '/rooms/:room',
  requireSession('userId').handle({ config: { session: { touch: false } } }, async (request) => {
    same<typeof request.session.userId, number>(true)
    same<typeof request.params.room, string>(true)
    return request.params.room
  })
)

// So they are to a handler of handle, behind the path or behind options.
app.get<{ Params: { room: string } }>(
  '/rooms/:room',
  requireSession('userId').handle(async (request) => {
    same<typeof request.session.userId, number>(true)
    same<typeof request.params.room, string>(true)
    return request.params.room
  })
)
app.get<{ Params: { room: string } }>(
  '/rooms/:room',
  { config: { session: { touch: false } } },
  requireSession('userId').handle(async (request, reply) => {
    same<typeof request.session.userId, number>(true)
    same<typeof request.params.room, string>(true)
    return reply.code(201).send(request.params.room)
  })
)
app.withTypeProvider<TypeBoxTypeProvider>().post(
  '/typebox',
  { schema: { body: Type.Object({ n: Type.Number() }) } },
  requireSession('userId').handle(async (request) => {
    same<typeof request.body.n, number>(true)
    same<typeof request.session.userId, number>(true)
  })
)
