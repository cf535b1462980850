import type { Settings } from '../options.ts'
import { sessionContext } from '../request/session-context.ts'

/** Returns the settings of the session of a request; undefined if there is no such session. */
export function settingsOf(request: object, decorator: string): Settings | undefined {
  const { server } = request as { readonly server?: object }
  return sessionContext(server, decorator)?.settings
}
