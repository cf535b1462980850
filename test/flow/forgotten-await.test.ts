import { once } from 'node:events'
import fastify from 'fastify'
import t from 'tap'
import { session } from '../../lib/index.ts'
import { SECRET } from '../helpers/app.ts'
import { inEnvironment } from '../helpers/environment.ts'
import { when } from '../helpers/fake-time.ts'
import { ANA, createKitApp, Member } from '../helpers/login-app.ts'

t.test('a login that nobody waits for is warned of, with what is missing', async (t) => {
  const { app, warnings } = await createKitApp()
  app.post('/hasty', (request, reply) => {
    request.login(ANA)
    reply.send('ok')
  })
  const browser = new Member(app)
  await browser.submit('/hasty')
  await when(() => warnings().length > 0)
  t.match(warnings(), [{ reason: 'headers-sent', msg: /Mostly an `await` is missing: before request\.login\(\)/ }])
})

t.test('in development without a logger, the process says it', async (t) => {
  const app = fastify()
  await inEnvironment('development', async () => await app.register(session, { secret: SECRET }))
  app.get('/', async ({ session }, reply) => {
    session.visits = 1
    await reply.send('ok')
    session.visits = 2
  })
  const [[warning]] = await Promise.all([once(process, 'warning'), app.inject('/')])
  t.match(warning, { code: 'ERR_SESSION_NOT_SAVED', message: /await/ })
})
