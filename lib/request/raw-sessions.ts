import type { FastifyBaseLogger } from 'fastify'
import type { OpenReason } from '../../types/diagnostics.ts'
import type { RawRequest, RawSession } from '../../types/raw-session.ts'
import type { SessionValues } from '../../types/session.ts'
import { freezeData } from '../data/freeze.ts'
import type { Followed, Signals } from '../endings/signals.ts'
import type { LoadedRecord } from '../format/record.ts'
import type { DeviceGate } from './device-gate.ts'
import type { NoSessionReason, SessionFactory } from './factory.ts'
import type { Connection } from './raw-request.ts'
import { connectionOf, cookiesOf } from './raw-request.ts'
import { isReserved } from './session.ts'

type Log = Pick<FastifyBaseLogger, 'debug'>

/** Reads the sessions of requests that Fastify has not seen. Nothing of them is written: no activity, no cookie, no new id. */
export class RawSessions {
  readonly #cookieName: string
  readonly #factory: SessionFactory
  readonly #device: DeviceGate
  readonly #signals: Signals
  readonly #log: Log

  constructor(cookieName: string, factory: SessionFactory, device: DeviceGate, signals: Signals, log: Log) {
    this.#cookieName = cookieName
    this.#factory = factory
    this.#device = device
    this.#signals = signals
    this.#log = log
  }

  /** Returns the session that `request.session` would be; undefined if that would be empty. */
  async read(request: RawRequest): Promise<RawSession | undefined> {
    const found = await this.#open(cookiesOf(request))
    const handle = typeof found === 'string' ? undefined : this.#factory.handleOf(found)
    const reason = typeof found === 'string' ? found : 'opened'
    this.#log.debug(
      { session: { cookieName: this.#cookieName, phase: 'open', reason, id: handle } },
      'session of a raw request'
    )
    if (typeof found === 'string') return undefined
    const expiresAt = this.#factory.expiresAt(found)
    return new OpenedSession(found, handle as string, expiresAt, this.#signals, connectionOf(request))
  }

  async #open(cookies: string): Promise<LoadedRecord | NoSessionReason | OpenReason> {
    const found = await this.#factory.read(cookies)
    if (typeof found === 'string') return found
    return this.#device.trusts(found, cookies, this.#factory.now()) ? found : 'device-unproven'
  }
}

/** `signal` is a getter of the class, so that whoever logs or copies the object does not begin to follow the session. */
class OpenedSession implements RawSession {
  readonly data: RawSession['data']
  readonly handle: string
  readonly ownerId: string | undefined
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly #follow: () => Followed
  #followed: Followed | undefined
  #isReleased = false

  /** `expiresAt`: seconds since 1970. `connection`: whose end releases the session. */
  constructor(
    record: LoadedRecord,
    handle: string,
    expiresAt: number,
    signals: Signals,
    connection: Connection | undefined
  ) {
    const { data, ownerId, createdAt, lastSeenAt, extensions } = record
    const own = Object.entries(data).filter(([key]) => !isReserved(key))
    // The application has written the data with the types that it reads them with.
    this.data = freezeData(Object.fromEntries(own)) as SessionValues
    this.handle = handle
    this.ownerId = ownerId
    this.createdAt = new Date(createdAt * 1000)
    this.expiresAt = new Date(expiresAt * 1000)
    this.#follow = () => {
      const followed = signals.open({ handle, ownerId, createdAt, lastSeenAt, extensions }, () => true)
      return connection === undefined ? followed : untilClosed(connection, followed)
    }
    Object.freeze(this)
  }

  get signal(): AbortSignal {
    if (this.#followed === undefined) {
      this.#followed = this.#follow()
      if (this.#isReleased) this.#followed.close()
      this.#followed.verify()
    }
    return this.#followed.signal
  }

  release(): void {
    this.#isReleased = true
    this.#followed?.close()
  }
}

function untilClosed(connection: Connection, followed: Followed): Followed {
  const close = (): void => {
    connection.off('close', close)
    followed.close()
  }
  connection.once('close', close)
  if (connection.destroyed) close()
  return { ...followed, close }
}
