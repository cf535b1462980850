import { notLoadedError } from '../errors.ts'
import { RequestSession } from './session.ts'
import type { SessionActions } from './session-actions.ts'
import type { SessionState } from './state.ts'

/** What would change a session, or asks the store for it. */
const REFUSED: readonly (string | symbol)[] = [
  'set',
  'pop',
  'setDefault',
  'delete',
  'clear',
  'update',
  'renew',
  'regenerate',
  'destroy',
  'touch',
  'reload',
  'commit',
  'options',
  'setOwner',
  'bindToDevice'
]

function refuse(): never {
  throw notLoadedError()
}

// Data are own properties, and the first assignment to one asks the prototype.
const PROTOTYPE = new Proxy(RequestSession.prototype, {
  get: (target, key, session) => (REFUSED.includes(key) ? refuse : Reflect.get(target, key, session)),
  set: refuse
})

/** Returns a session that reads as empty. Changes throw `ERR_SESSION_NOT_LOADED`: they would be lost when it is loaded. */
export function createUnloaded(state: SessionState, actions: SessionActions): RequestSession {
  return Object.setPrototypeOf(new RequestSession(state, actions), PROTOTYPE)
}
