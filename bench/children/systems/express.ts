import type { AddressInfo } from 'node:net'
import type { Express, Request, Response } from 'express'
import express from 'express'
import type { Account } from '../accounts.ts'
import { createTurnstile } from '../accounts.ts'

/** Fastify's default, so that no connection closes while other servers are measured. */
const KEEP_ALIVE_MILLISECONDS = 72_000

/** The handlers in which systems differ. */
export interface Handlers {
  logIn(request: Request, account: Account): string
  read(request: Request): string
  write(request: Request): string
  show(request: Request): Partial<Account>
}

/** Starts an Express server with one system. */
export function serve(
  accounts: readonly Account[],
  use: (app: Express) => unknown,
  handlers: Handlers
): Promise<number> {
  const app = express()
  const nextAccount = createTurnstile(accounts)
  use(app)
  app.get('/untouched', (_request: Request, response: Response) => response.send('user-10000'))
  app.get('/anon', (_request: Request, response: Response) => response.send('user-10000'))
  app.get('/read', (request: Request, response: Response) => response.send(handlers.read(request)))
  app.get('/write', (request: Request, response: Response) => response.send(handlers.write(request)))
  app.get('/login', (request: Request, response: Response) => response.send(handlers.logIn(request, nextAccount())))
  app.get('/show', (request: Request, response: Response) => response.send(handlers.show(request)))
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
    server.keepAliveTimeout = KEEP_ALIVE_MILLISECONDS
  })
}
