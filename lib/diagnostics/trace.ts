import { channel } from 'node:diagnostics_channel'
import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import type { CommitReason, OpenReason, SessionEvent } from '../../types/diagnostics.ts'
import type { InvalidDataInfo } from '../../types/schema.ts'
import { NotSavedError } from '../errors.ts'
import type { Settings } from '../options.ts'

const HEADER = 'session-trace'
/** In milliseconds: while a store is down, most requests would say the same. */
const BETWEEN_WARNINGS = 60_000
const events = channel('fastify-typed-session')

const IGNORED = {
  destroyed:
    'The session was written to after destroy(), which is final: nothing of it is kept. To go on with a new session, call regenerate() instead of destroy().',
  disabled: 'The session was changed on a route with `config: { session: false }`: nothing of it is kept.',
  token:
    'The session was changed by a request whose Authorization header says who sends it: such a request has no session, and nothing of it is kept.',
  'not-loaded':
    'The session was changed before it was loaded, or in a request that was answered before that: nothing of it is kept. Register the session plugin before what changes the session.',
  gone: 'The session has expired, or was ended by another request, a logout for example, before this one could change it: nothing of the change is kept.',
  renamed:
    'The session was changed by a request that came with the id from before a login or a renew(): nothing of it is kept. The cookie of the new id reaches the browser with another reply.',
  'device-unproven':
    'The session was changed by a request without the proof that its browser is the device to which the session is bound: nothing of it is kept. The browser sends the proof as soon as it can.',
  'store-unavailable': 'The session was changed while the session store was not available: nothing of it is kept.'
} as const

/** What a decision is about. The handle costs a hash, so it is asked for only when somebody listens. */
interface Subject {
  readonly knownHandle: string | undefined
}

/**
 * Tells every decision with its reason: to the debug log, to the diagnostics channel and, with `debug`, to a header of the
 * reply. No cookie, no secret and no data ever pass through here.
 */
export class Trace {
  readonly #settings: Settings
  readonly #hasLogger: boolean
  /** Without a logger, a developer would never see that a change was lost. */
  readonly #warnsProcess: boolean
  #warnedOfPlainHttp = false
  #warnedOfSize = false
  #warnedOfHaste = false
  #unnotedAt: number = Number.NEGATIVE_INFINITY

  /** `log`: the application's. A logger without levels (all are the same function) writes nothing. */
  constructor(
    settings: Settings,
    log: Pick<FastifyBaseLogger, 'fatal' | 'trace'>,
    environment: string | undefined = process.env.NODE_ENV
  ) {
    this.#settings = settings
    this.#hasLogger = log.fatal !== log.trace
    this.#warnsProcess = !this.#hasLogger && environment === 'development'
  }

  /** Whether somebody gets the decisions or the warnings. If not, work that only serves them can be left out. */
  get hasListeners(): boolean {
    return this.#hasLogger || this.#warnsProcess || events.hasSubscribers
  }

  opened(request: FastifyRequest, reason: OpenReason, subject: Subject): void {
    this.#tell(request, 'open', reason, subject)
    if (reason === 'too-many-cookies') this.#crowded(request)
  }

  committed(
    request: FastifyRequest,
    reply: FastifyReply,
    from: OpenReason | undefined,
    reason: CommitReason,
    subject?: Subject
  ): void {
    this.#tell(request, 'commit', reason, subject)
    if (!this.#settings.debug || reply.raw.headersSent) return
    reply.header(HEADER, this.#header(reply.getHeader(HEADER), from, reason))
  }

  /** A change that cannot be sent any more. It is a mistake in the application, so it is always said. */
  lost(request: FastifyRequest, subject: Subject): void {
    this.#tell(request, 'commit', 'headers-sent', subject)
    this.#warnOfLoss(
      request,
      'headers-sent',
      'The session changed after it was saved for the reply, so the change is lost. Mostly an `await` is missing: before request.login(), session.renew() or another call that returns a promise. Or it came after the headers, or in an onSend hook that runs after the last one of the session plugin. Change it earlier, or call `await request.session.commit()` before the headers go. With a store, what needs no new cookie can be committed later, too.'
    )
  }

  /**
   * A cookie that the reply was to have as the last of its headers, and that the browser can go on without. Returns what `debug`
   * adds to those headers.
   */
  withheld(
    request: FastifyRequest,
    headers: OutgoingHttpHeaders,
    from: OpenReason,
    subject: Subject
  ): OutgoingHttpHeaders | undefined {
    this.#tell(request, 'commit', 'withheld', subject)
    return this.#settings.debug ? { [HEADER]: this.#header(headers[HEADER], from, 'withheld') } : undefined
  }

  /** Something was written to a session that does not keep it. */
  ignored(request: FastifyRequest, reason: keyof typeof IGNORED): void {
    this.#warnOfLoss(request, reason, IGNORED[reason])
  }

  /** The store has a session that cannot be read. `error`: why. */
  unreadable(request: FastifyRequest, error: unknown, subject: Subject): void {
    this.#tell(request, 'open', 'unreadable', subject)
    const { cookieName } = this.#settings
    request.log.warn(
      { reason: 'unreadable', err: error, cookieName, id: subject.knownHandle },
      'A stored session cannot be read, so its visitor is a stranger until they log in again. The next session of this browser takes its place.'
    )
  }

  /** The data of a session are of another version of the schema and do not fit. The error may quote them, so only its name is told. */
  invalid(request: FastifyRequest, { version, schemaVersion, issues, error }: InvalidDataInfo, subject: Subject): void {
    this.#tell(request, 'open', 'invalid-data', subject)
    const { cookieName } = this.#settings
    const thrown = error === undefined ? undefined : nameOf(error)
    request.log.warn(
      { reason: 'invalid-data', cookieName, id: subject.knownHandle, version, schemaVersion, issues, thrown },
      'The data of a session were written under another version of its schema, and do not fit this one, so its visitor is a stranger. The session stays as it is until this visitor begins another one. The option onInvalidData can mend such data, and is told the error.'
    )
  }

  /** The session of another library does not fit here, so its visitor is a stranger. */
  tooLargeToAdopt(request: FastifyRequest, bytes: number, limit: number): void {
    request.log.warn(
      { reason: 'adopt-refused', cookieName: this.#settings.cookieName, bytes, limit },
      'A session of another library was not adopted: it has more data than fit into a session of ours. Let the function map of its reader return less, or set the option store.'
    )
  }

  /** The session of another library may still be there, although a session of ours has taken its place. */
  notForgotten(request: FastifyRequest, error: unknown): void {
    request.log.warn(
      { err: error, cookieName: this.#settings.cookieName },
      'An old session whose place a new one has taken could not be ended where the other library has it.'
    )
  }

  /** The store failed on a route that is served all the same. */
  survived(request: FastifyRequest, error: unknown): void {
    request.log.error(
      { err: error, cookieName: this.#settings.cookieName },
      "The session store is not available. The route has `onStoreError: 'anonymous'`, so it is served without the session."
    )
  }

  /** The store has a session and does not take the note that it was active: its disk is full, or it is a replica. */
  unnoted(request: FastifyRequest, error: unknown): void {
    const now = this.#settings.clock()
    if (now - this.#unnotedAt < BETWEEN_WARNINGS) return
    this.#unnotedAt = now
    request.log.warn(
      { reason: 'store-unavailable', err: error, cookieName: this.#settings.cookieName },
      'The session store does not take the note that a session was active. The request is answered all the same; if that goes on for as long as the idle timeout, the session ends. There is one such warning in a minute.'
    )
  }

  /** Once per application: every reply would say the same. */
  insecure(request: FastifyRequest): void {
    if (this.#warnedOfPlainHttp) return
    this.#warnedOfPlainHttp = true
    request.log.warn(
      { reason: 'insecure-transport', cookieName: this.#settings.cookieName },
      'A Secure session cookie was sent over plain HTTP, where browsers drop it (most make an exception for localhost). If a proxy ends TLS in front of this server, set `trustProxy` of Fastify; otherwise serve HTTPS.'
    )
  }

  /** Once per application: it is true for every request, and a log that shows the session would say it for each of its lines. */
  seenTooEarly(request: FastifyRequest): void {
    if (this.#warnedOfHaste) return
    this.#warnedOfHaste = true
    const { decorator, cookieName } = this.#settings
    request.log.warn(
      { reason: 'not-loaded', cookieName },
      `request.${decorator} was read before it was loaded from the store, so it was empty. Read it in a later hook, or register the session plugin first. Where it may be too early, as in the serializers of a log, use sessionOf(request), which is undefined until then.`
    )
  }

  /** Once per application, and for developers: a cookie of this size is fine for browsers, but not for every proxy. */
  large(request: FastifyRequest, bytes: number): void {
    if (this.#warnedOfSize) return
    this.#warnedOfSize = true
    request.log[this.#settings.debug ? 'warn' : 'debug'](
      { reason: 'large-cookie', cookieName: this.#settings.cookieName, bytes },
      'The session cookie is large: more than 2 KB of data. nginx as it is installed answers 502 if all headers of a reply have more than 4096 bytes, and then the change is lost. Store ids instead of objects, keep the session in a store, or set `proxy_buffer_size 8k;` in nginx.'
    )
  }

  #warnOfLoss(request: FastifyRequest, reason: SessionEvent['reason'], message: string): void {
    if (this.#warnsProcess) process.emitWarning(new NotSavedError(message))
    else request.log.warn({ reason, cookieName: this.#settings.cookieName }, message)
  }

  /** The visitor sees nothing but a session that has gone. */
  #crowded(request: FastifyRequest): void {
    request.log.warn(
      { reason: 'too-many-cookies', cookieName: this.#settings.cookieName },
      'A request has more than eight cookies with the name of the session, and none of the first eight opens. The others are not tried, so a visitor who is logged in may be locked out. Another host of the domain may have planted them: the prefix __Host- of cookieName prevents that.'
    )
  }

  #tell(
    request: FastifyRequest,
    phase: SessionEvent['phase'],
    reason: SessionEvent['reason'],
    subject: Subject | undefined
  ): void {
    const logs = this.#hasLogger && isDebugging(request.log)
    if (!logs && !events.hasSubscribers) return
    const { decorator, cookieName } = this.#settings
    const id = subject?.knownHandle
    if (logs) request.log.debug({ session: { cookieName, phase, reason, id } }, 'session')
    if (events.hasSubscribers) {
      const event: SessionEvent = { request, decorator, cookieName, phase, reason, id }
      events.publish(event)
    }
  }

  /** `earlier`: what the header says so far. */
  #header(earlier: unknown, from: OpenReason | undefined, reason: CommitReason): string {
    const name = this.#settings.cookieName
    const mine = from === undefined ? `${name}; commit=${reason}` : `${name}; open=${from}; commit=${reason}`
    const others = typeof earlier === 'string' ? earlier.split(', ').filter((part) => !part.startsWith(`${name};`)) : []
    return [...others, mine].join(', ')
  }
}

function nameOf(error: unknown): string {
  const { code, name } = Object(error) as { readonly code?: unknown; readonly name?: unknown }
  return String(code ?? name ?? typeof error)
}

/** Pino says so; for other loggers it is assumed. */
function isDebugging(log: object): boolean {
  return !('isLevelEnabled' in log && typeof log.isLevelEnabled === 'function' && !log.isLevelEnabled('debug'))
}
