import type { FastifyInstance } from 'fastify'
import { InvalidOptionError } from '../errors.ts'
import { SITE } from '../util/site.ts'

const NAME = '@fastify/csrf-protection'
const ADVICE = `Register it with sessionPlugin: '@fastify/session', so that the secret is in request.session: ${SITE}/recipes/csrf#where-the-secret-is`

/**
 * Looks at start where `@fastify/csrf-protection` keeps its secret, in the scope and in those inside it. Without its option
 * `sessionPlugin` that is a cookie of its own, which may be a mistake, or not. A place that does not exist would fail every request.
 */
export function checkCsrfProtection(app: FastifyInstance, decorator: string): void {
  const scopes = [app]
  app.addHook('onRegister', (scope) => void scopes.push(scope))
  app.addHook('onReady', async () => {
    const places = new Set(scopes.filter((scope) => scope.hasPlugin(NAME)).map(placeOfSecret))
    if (places.has('cookies') && decorator === 'session') {
      app.log.info(`${NAME} keeps its secret in a cookie of its own, and not in the session. ${ADVICE}`)
    }
  })
}

/** Throws if the place does not exist. */
function placeOfSecret(scope: FastifyInstance): string | undefined {
  const place = readBy((scope as unknown as { csrfProtection: CsrfProtection }).csrfProtection)
  if (place === undefined || scope.hasRequestDecorator(place)) return place
  throw new InvalidOptionError(
    place === 'cookies'
      ? `${NAME} keeps its secret in a cookie of its own, and there is no @fastify/cookie in its scope. ${ADVICE}`
      : `${NAME} keeps its secret in request.session, and no session of its scope has the decorator 'session'. Register one.`
  )
}

type CsrfProtection = (request: object, reply: object, done: () => void) => unknown

/** Returns the member of a request that the hook reads first. That is where the secret is. */
function readBy(csrfProtection: CsrfProtection): string | undefined {
  let place: string | undefined
  const look = (name: string) => ({
    get(): never {
      place ??= name
      throw new Error('This is no request.')
    }
  })
  const request = Object.defineProperties({}, { cookies: look('cookies'), session: look('session') })
  const call = async (): Promise<unknown> => csrfProtection(request, {}, () => {})
  call().catch(() => {})
  return place
}
