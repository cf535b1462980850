import { join } from 'node:path'
import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import assets from '@fastify/static'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import fastify from 'fastify'
import type { Certificate } from './certificate.ts'
import { showError, showNotFound } from './errors.ts'
import { MODES } from './modes.ts'
import type { SiteOptions } from './session-options.ts'
import { site } from './site.ts'

/** Allows only files of this server: no inline script, no inline style, no frame. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    'style-src': ["'self'"],
    'img-src': ["'self'"],
    'connect-src': ["'self'"],
    'form-action': ["'self'"],
    'base-uri': ["'none'"],
    'frame-ancestors': ["'none'"]
  }
}

interface AppOptions extends Omit<SiteOptions, 'mode'> {
  /** Key and certificate, to serve HTTPS. */
  readonly https?: Certificate['https'] | undefined
}

/** One site three times: with signed, encrypted and stored sessions. */
export async function buildApp({ https, ...options }: AppOptions): Promise<FastifyInstance> {
  const server: FastifyServerOptions = { requestTimeout: 30_000, ...(https && { https }) }
  const app = fastify(server)
  // By default helmet forbids the referrer everywhere. Forms of this site would then have `Origin: null`.
  await app.register(helmet, { contentSecurityPolicy, referrerPolicy: { policy: 'same-origin' } })
  await app.register(formbody)
  await app.register(assets, { root: join(import.meta.dirname, 'public'), prefix: '/public/' })
  app.setErrorHandler(showError)
  app.setNotFoundHandler(showNotFound)

  app.get('/', async (_request, reply) => reply.redirect('/signed/'))
  for (const mode of MODES) await app.register(site, { ...options, mode, prefix: `/${mode.name}` })
  return app
}
