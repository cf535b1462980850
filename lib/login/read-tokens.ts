import type { FastifyInstance } from 'fastify'
import { varyBy } from '../cookie/headers.ts'
import { provideTokenGate } from '../guard/token-gate.ts'
import type { Authorization } from './authorization.ts'
import type { LoginSlots } from './login-slots.ts'
import type { LoginSettings } from './options.ts'
import { RequestLogin } from './request-login.ts'

/** Lets guards know what the Authorization header says. A reply to somebody whom the kit was asked for depends on it. */
export function readTokens(app: FastifyInstance, settings: LoginSettings, slots: LoginSlots): void {
  const { decorator, authenticate, challenge } = settings
  if (authenticate === undefined) {
    provideTokenGate(app, decorator, undefined)
    return
  }
  const authorizationOf = (request: object): Authorization | undefined =>
    slots.isStarted(request) ? RequestLogin.accountOf(slots.loginOf(request)).authorization : undefined
  provideTokenGate(app, decorator, {
    decides: (request) => authorizationOf(request)?.decides() ?? false,
    hasDecided: (request) => authorizationOf(request)?.hasDecided ?? false,
    challengeOf: (request) => authorizationOf(request)?.challenge ?? challenge
  })
  app.addHook('onSend', function varyByAuthorization(request, reply, payload, done) {
    if (slots.isAsked(request)) varyBy(reply, 'Authorization', payload)
    done(null, payload)
  })
}
