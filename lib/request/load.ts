import type { OpenReason, OpenRefusal } from '../../types/diagnostics.ts'
import type { MaybePromise } from '../../types/store.ts'
import type { FoundCookie } from '../cookie/read.ts'
import { findCookie } from '../cookie/read.ts'
import type { LoadedRecord } from '../format/record.ts'
import { readLastSeenAt } from '../format/record.ts'
import type { Timeouts } from '../transport/expiry.ts'
import { checkExpiry } from '../transport/expiry.ts'
import type { Transport } from '../transport/transport.ts'

/** Browsers send a few cookies of one name. Hundreds, each to be verified, are an attack. */
const MAX_CANDIDATES = 8

export interface LoadSettings extends Timeouts {
  readonly cookieName: string
  readonly refreshAfter: number
}

/** What the cookies of a request stand for. */
export interface LoadResult {
  readonly reason: OpenReason
  readonly record: LoadedRecord | undefined
  /** Whether the cookie was sealed in an older way than new ones are. */
  readonly needsRekey: boolean
  /** Whether the noted activity is `refreshAfter` seconds old. */
  readonly isDue: boolean
}

/** Finds the session of a request by its Cookie header. */
export class SessionLoader {
  readonly #settings: LoadSettings
  readonly #transport: Transport
  /** The cookie's name and `=`. */
  readonly #start: string

  constructor(settings: LoadSettings, transport: Transport) {
    this.#settings = settings
    this.#transport = transport
    this.#start = `${settings.cookieName}=`
  }

  /** Whether a header may have a cookie of ours. A quick look: it is wrong about names that end like ours. */
  mayFind(header: string | undefined): header is string {
    return header?.includes(this.#start) === true
  }

  /** Whether no cookie in a header is due, by a look at a few characters. When in doubt, no. `now`: seconds since 1970. */
  isFresh(header: string, now: () => number): boolean {
    let at = header.indexOf(this.#start)
    while (at > 0 && header[at - 1] !== ' ' && header[at - 1] !== ';') at = header.indexOf(this.#start, at + 1)
    if (at === -1) return true
    const valueAt = at + this.#start.length
    if (!header.startsWith(this.#transport.currentPrefix, valueAt)) return false
    return now() - readLastSeenAt(header, valueAt) < this.#settings.refreshAfter
  }

  /** Returns the first cookie of our name that opens and has not expired; otherwise what is wrong with the first one. */
  load(header: string | undefined, now: number): MaybePromise<LoadResult> {
    return this.#try(header ?? '', 0, now, MAX_CANDIDATES, 'no-cookie')
  }

  #try(header: string, from: number, now: number, left: number, reason: OpenReason): MaybePromise<LoadResult> {
    const cookie = left === 0 ? undefined : findCookie(header, this.#settings.cookieName, from)
    if (cookie === undefined) return { reason, record: undefined, needsRekey: false, isDue: false }
    const judge = (loaded: LoadedRecord | OpenRefusal): MaybePromise<LoadResult> => {
      const refusal = typeof loaded === 'string' ? loaded : checkExpiry(loaded, this.#settings, now)
      if (typeof loaded === 'object' && refusal === undefined) return this.#found(cookie, loaded, now)
      return this.#try(header, cookie.end, now, left - 1, reason === 'no-cookie' ? (refusal as OpenRefusal) : reason)
    }
    const loaded = this.#transport.load(cookie.text)
    return loaded instanceof Promise ? loaded.then(judge) : judge(loaded)
  }

  #found({ text }: FoundCookie, record: LoadedRecord, now: number): LoadResult {
    return {
      reason: 'opened',
      record,
      needsRekey: !text.startsWith(this.#transport.currentPrefix),
      isDue: now - readLastSeenAt(text) >= this.#settings.refreshAfter
    }
  }
}
