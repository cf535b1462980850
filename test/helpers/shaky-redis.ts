import { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { RedisStoreOptions } from '../../lib/stores/redis/index.ts'
import { RedisStore } from '../../lib/stores/redis/index.ts'
import { CookieJar } from '../../lib/testing/cookie-jar.ts'
import { Client } from '../../lib/testing/create-client.ts'
import type { LooseOptions } from './app.ts'
import { createApp } from './app.ts'

/** Creates an application on Redis, with the routes that the stories of broken connections use. */
export async function createShakyApp(client: RedisStoreOptions['client'], options: LooseOptions = {}) {
  const { app } = await createApp({ ...options, store: (clock) => new RedisStore({ client, clock }) })
  app.get('/count', ({ session }) =>
    session.update((data) => {
      data.visits = (data.visits ?? 0) + 1
    })
  )
  app.get<{ Params: { name: string } }>('/set/:name', async ({ params, session }) => {
    session.name = params.name
  })
  app.get<{ Params: { name: string } }>('/push/:name', ({ params, session }) =>
    session.update((data) => {
      data.names = [...(data.names ?? []), params.name]
    })
  )
  app.get('/renew', ({ session }) => session.renew())
  app.get<{ Params: { name: string } }>('/login/:name', async ({ params, session }) => {
    session.name = params.name
    session.setOwner('ada')
  })
  app.get('/logout', ({ session }) => session.destroy())
  app.get('/read', async ({ session }) => ({ ...session }))
  await app.ready()
  return app
}

export type ShakyApp = Awaited<ReturnType<typeof createShakyApp>>

/** A client of ioredis with its default settings, apart from where it connects to. */
export function connect(t: Test, port: number): Redis {
  const redis = new Redis({ host: '127.0.0.1', port })
  // Connections are broken on purpose.
  redis.on('error', () => {})
  t.teardown(() => redis.disconnect())
  return redis
}

/** One browser, which the load balancer sends now to this application and now to that. */
export class Visitor {
  readonly jar: CookieJar = new CookieJar()

  /** Returns the status. */
  async visit(app: ShakyApp, path: string): Promise<number> {
    return (await new Client(app, this.jar).get(path)).statusCode
  }

  async read(app: ShakyApp): Promise<Record<string, unknown>> {
    return (await new Client(app, this.jar).get('/read')).json()
  }
}
