import type { DeviceRequiredOptions } from '../../types/device-bound.ts'
import type { Guard } from '../../types/guard.ts'
import type { DeviceBinding } from '../../types/session.ts'
import { verifiedSession } from '../guard/checks.ts'
import type { Check } from '../guard/guard.ts'
import { createGuard } from '../guard/guard.ts'
import { isString, readOption } from '../util/check.ts'
import { chain } from '../util/maybe-async.ts'

/** A request whose session is bound to the device that has sent it. */
export type BoundRequest<Decorator extends string> = {
  readonly [Name in Decorator]: { readonly device: DeviceBinding & { readonly lastProofAt: Date } }
}

/**
 * Returns a guard that lets a request through if its session is bound to a device, and the request comes from there. It answers 401
 * if the request has no session, and 403 if the session is not bound, or not proved. `handle` narrows `session.device` for its
 * handler. Use it where a copied cookie would do harm, and only for browsers that can bind a session. Throws
 * `ERR_SESSION_OPTION_INVALID` or `ERR_SESSION_OPTION_UNKNOWN` for wrong options.
 *
 * @example
 * ```ts
 * const bound = deviceRequired({ message: 'Use a browser that binds its sessions.' })
 * app.get('/keys', bound.handle(async ({ session }) => session.device.boundAt.toISOString()))
 * ```
 */
export function deviceRequired<Decorator extends string = 'session'>(
  options: DeviceRequiredOptions<Decorator> = {}
): Guard<BoundRequest<Decorator>> {
  const { decorator: given, ...guardOptions } = Object(options) as DeviceRequiredOptions<string>
  const decorator = readOption(given, 'session', 'decorator', 'the name of a property', isString)
  const check: Check = (request) =>
    chain(verifiedSession(request, decorator), (session) => {
      if (session.device?.lastProofAt !== undefined) return undefined
      return session.isNew ? 'not-logged-in' : 'not-allowed'
    })
  return createGuard(decorator, check, guardOptions)
}
