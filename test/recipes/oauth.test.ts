import { once } from 'node:events'
import { get } from 'node:http'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { CookieJar } from '../../lib/testing/index.ts'
import { AuthorizationServer, CLIENT } from '../helpers/authorization-server.ts'
import { freePort } from '../helpers/service.ts'
import { startRecipe } from './start.ts'

interface Reply {
  readonly status: number
  readonly location: string | undefined
  readonly body: string
}

t.test('oauth', async (t) => {
  const provider = await AuthorizationServer.start()
  t.teardown(() => provider.stop())
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  await startRecipe(t, 'oauth', {
    PORT: String(port),
    ORIGIN: origin,
    PROVIDER: provider.origin,
    CLIENT_ID: CLIENT.id,
    CLIENT_SECRET: CLIENT.secret
  })
  /** A browser that navigates. */
  const browser = (): ((path: string | URL) => Promise<Reply>) => {
    const jar = new CookieJar()
    return async (path) => {
      // Not fetch(), which says that it does not navigate.
      const outgoing = get(new URL(path, origin), { headers: { cookie: jar.header(), accept: 'text/html' } })
      const [incoming] = await once(outgoing, 'response')
      const { statusCode, headers } = incoming
      jar.take({ headers })
      return { status: statusCode, location: headers.location, body: await text(incoming) }
    }
  }
  const goToProvider = async (visit: ReturnType<typeof browser>): Promise<URL> => {
    t.equal((await visit('/me?page=2')).location, '/login')
    return provider.visit((await visit('/login')).location ?? '')
  }

  const ada = browser()
  const back = await goToProvider(ada)
  t.equal(back.href.split('?')[0], `${origin}/login/callback`)
  t.equal((await browser()(back)).status, 401, 'the return belongs to another browser')
  const returned = await ada(back)
  t.equal(returned.status, 303)
  t.equal(returned.location, '/me?page=2')
  t.equal((await ada('/me')).body, 'hello ada\n')
  t.equal((await ada(back)).status, 401, 'a return is good once')
  t.equal((await ada('/me')).body, 'hello ada\n')

  provider.user = undefined
  const bob = browser()
  t.equal((await bob(await goToProvider(bob))).status, 401, 'a user who does not agree')
  t.equal((await bob('/me')).location, '/login')
})
