import type { InspectedCookie, InspectedSession, SessionInspection } from '../../types/inspector.ts'
import { MAX_COOKIE_BYTES } from '../cookie/attributes.ts'
import type { XChaCha20Poly1305 } from '../crypto/xchacha.ts'
import { inspectCookie } from '../diagnostics/inspect-cookie.ts'
import { readSchemaStamp } from '../format/extensions.ts'
import type { Settings } from '../options.ts'
import { candidatesIn } from '../request/candidates.ts'
import { requestSession } from '../request/get-session.ts'
import { RequestSession } from '../request/session.ts'
import { splitCookie } from './cookie-parts.ts'
import type { Decisions } from './decisions.ts'

/** The members of a request that an inspection reads. They exist for HTTP/1 and HTTP/2, every route and every type provider. */
export interface InspectableRequest {
  readonly server: object
  readonly raw: { readonly headers: { readonly cookie?: string | undefined } }
}

/** Inspects the session of a request. `cipher`: if its cookies are encrypted. */
export function inspect(
  request: InspectableRequest,
  settings: Settings,
  decisions: Decisions,
  cipher: XChaCha20Poly1305 | undefined
): SessionInspection {
  const session = requestSession(request, settings.decorator)
  const now = Math.floor(settings.clock() / 1000)
  return {
    at: new Date(now * 1000),
    mode: modeOf(settings),
    cookieName: settings.cookieName,
    cookie: pickCookie(request.raw.headers.cookie ?? '', settings, now, cipher),
    opened: RequestSession.stateOf(session).openReason,
    session: describe(session),
    decisions: decisions.of(session.id)
  }
}

function modeOf({ store, encrypt }: Settings): SessionInspection['mode'] {
  if (store !== undefined) return 'stored'
  return encrypt ? 'encrypted' : 'signed'
}

function pickCookie(
  header: string,
  settings: Settings,
  now: number,
  cipher: XChaCha20Poly1305 | undefined
): InspectedCookie | undefined {
  const { cookieName, secrets } = settings
  const reports = candidatesIn(header, cookieName).values.map((value) => ({
    value,
    report: inspectCookie(cookieName, value, secrets, settings, now, cipher)
  }))
  const picked = reports.find(({ report }) => report.verdict === 'valid') ?? reports[0]
  if (picked === undefined) return undefined
  const { value, report } = picked
  return { value, bytes: report.bytes, limit: MAX_COOKIE_BYTES, parts: splitCookie(value, report) }
}

function describe(session: RequestSession): InspectedSession {
  const { id, isNew, ownerId, permanent, createdAt, device, idleTimeout, absoluteTimeout } = session
  const { lastSeenAt: lastActivity, extensions } = RequestSession.stateOf(session)
  return {
    id,
    isNew,
    ownerId,
    permanent,
    createdAt,
    lastSeenAt: new Date(lastActivity * 1000),
    idleExpiresAt: new Date((lastActivity + idleTimeout) * 1000),
    absoluteExpiresAt: new Date(createdAt.getTime() + absoluteTimeout * 1000),
    schemaVersion: readSchemaStamp(extensions)?.version,
    device,
    data: session.data(),
    size: session.size()
  }
}
