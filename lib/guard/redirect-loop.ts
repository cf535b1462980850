import type { GuardRequest } from '../../types/guard.ts'
import { SENT } from '../data/own-keys.ts'
import { RedirectLoopError } from '../errors.ts'
import { requestSession } from '../request/get-session.ts'
import { RequestSession } from '../request/session.ts'
import { setIfItFits } from './set-if-it-fits.ts'

/** Seconds. Browsers give up after some twenty redirects. */
const WINDOW = 10

/** More often than somebody opens a page in that time, and early enough for a browser that gives up. */
const MOST = 4

/** What a session says of the last page from which a guard sent its visitor away. */
interface Sent {
  readonly page: string
  /** Seconds since 1970. */
  readonly since: number
  readonly times: number
}

/**
 * Throws `ERR_SESSION_REDIRECT_LOOP` if a redirect leads back to the page that is guarded. A guard of a whole scope may also guard
 * the page that it redirects to. `target`, `page`: a URL and a path, as the browser sees them. `wanted`: the page in the query, as
 * a guard leaves it there.
 */
export function assertOtherPage(target: string, page: string, host: string, wanted: string | undefined): void {
  const [targetPath, path] = [pathIn(target, host), pathOf(page)]
  // A proxy takes off the start of the path, and the guard does not know it: the browser comes back with the page as the wanted one.
  const isBack = wanted !== undefined && pathOf(wanted) === path && targetPath?.endsWith(path)
  if (targetPath !== path && !isBack) return
  throw new RedirectLoopError(
    'A guard redirects to the page that it guards, so that nobody could ever see it. Take that page out of the scope of the guard, or set another redirectTo or loginPath. If a proxy takes off the start of the path, set the option basePath of the session.'
  )
}

/**
 * Counts the redirects of a visitor whom the page behind them can know. Throws `ERR_SESSION_REDIRECT_LOOP` if that page sends the
 * visitor back again and again: it may take whoever is logged in for somebody who need not log in. Begins no session.
 */
export function countRedirect(request: GuardRequest, decorator: string, page: string): void {
  const session = requestSession(request, decorator)
  if (session.isNew) return
  const { verifiedAt: now } = RequestSession.stateOf(session)
  const sent = session.get(SENT) as Sent | undefined
  const path = pathOf(page)
  const isAgain = sent?.page === path && now - sent.since <= WINDOW
  if (isAgain && sent.times >= MOST) {
    throw new RedirectLoopError(
      'A guard has redirected this visitor several times within seconds, and the page behind the redirect has sent the visitor back each time. Let that page show its form to visitors who are logged in, too: they have to confirm who they are. Or set another confirmPath or redirectTo.'
    )
  }
  setIfItFits(session, SENT, isAgain ? { ...sent, times: sent.times + 1 } : { page: path, since: now, times: 1 })
}

/** Undefined for a page of another host. */
function pathIn(url: string, host: string): string | undefined {
  if (url.startsWith('/')) return pathOf(url)
  const { host: ofUrl, pathname } = new URL(url)
  return ofUrl === host.toLowerCase() ? pathname : undefined
}

function pathOf(url: string): string {
  return url.split(/[?#]/, 1)[0] as string
}
