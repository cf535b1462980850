import type { GeneralRevocation, OwnerRevocation, Revocation, SessionRevocation } from '../../types/revocations.ts'
import type { TimeLimit } from './dated-id.ts'
import { isWithin, limitOf } from './dated-id.ts'
import { SweptMap } from './swept-map.ts'

/** Why a genuine cookie opens nothing any more. */
export type Bar = 'revoked' | 'renamed'

interface OwnerBar extends Omit<OwnerRevocation, 'kind' | 'id'> {
  readonly limit: TimeLimit
}

/** What a list says, in memory. Entries may come in any order, and several times. Times are seconds since 1970, if not said otherwise. */
export class Bars {
  /** Until when each session is barred. A number takes no room of its own. */
  readonly #sessions: SweptMap<number> = new SweptMap((until) => until)
  /** Until when a request with the cookie of a session counts as late. */
  readonly #renamed: SweptMap<number> = new SweptMap((until) => until)
  readonly #owners: SweptMap<OwnerBar> = new SweptMap(({ until }) => until)
  readonly #now: () => number
  /** Of everybody: what was issued later may stay. */
  #limit: TimeLimit = ''
  #latest = 0

  /** `now`: returns seconds since 1970. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** How many entries are in memory. */
  get size(): number {
    return this.#sessions.size + this.#owners.size
  }

  /** The latest time, in milliseconds since 1970, before which all sessions of somebody have ended. */
  get latest(): number {
    return this.#latest
  }

  /** Returns why a session is barred; undefined if it is not. `alias`: another id that it has, or is about to get. */
  judge(id: string, ownerId: string | undefined, alias: string = id): Bar | undefined {
    if (this.#sessions.get(id) !== undefined) return this.#now() <= (this.#renamed.get(id) ?? 0) ? 'renamed' : 'revoked'
    return this.endsWithOthers(id, ownerId, alias) ? 'revoked' : undefined
  }

  /** Whether a session is barred together with others: those of its owner, or of everybody. */
  endsWithOthers(id: string, ownerId: string | undefined, alias: string): boolean {
    const owner = ownerId === undefined ? undefined : this.#owners.get(ownerId)
    return (this.#limit !== '' && isWithin(this.#limit, id)) || (owner !== undefined && bars(owner, id, alias))
  }

  /** Returns whether the entry says anything new. */
  apply(entry: Revocation): boolean {
    const now = this.#now()
    if (entry.until < now) return false
    switch (entry.kind) {
      case 'session':
        return this.#applySession(entry, now)
      case 'owner':
        return this.#applyOwner(entry, now)
      case 'all':
        return this.#applyToAll(entry)
      default:
        // A newer version may have other kinds.
        return false
    }
  }

  /** Forgets what is over among the next entries of each kind. */
  sweep(count: number): void {
    const now = this.#now()
    this.#sessions.sweep(now, count)
    this.#renamed.sweep(now, count)
    this.#owners.sweep(now, count)
  }

  #applySession({ id, until, renamedUntil = 0 }: SessionRevocation, now: number): boolean {
    const isNew = this.#sessions.get(id) === undefined
    this.#sessions.set(id, until, now)
    if (renamedUntil >= now) this.#renamed.set(id, renamedUntil, now)
    return isNew
  }

  #applyToAll({ before }: GeneralRevocation): boolean {
    this.#latest = Math.max(this.#latest, before)
    const limit = limitOf(before)
    if (limit <= this.#limit) return false
    this.#limit = limit
    return true
  }

  /** Two entries of an owner become one that bars what either of them bars. */
  #applyOwner({ id, before, except, until }: OwnerRevocation, now: number): boolean {
    this.#latest = Math.max(this.#latest, before)
    const known = this.#owners.get(id)
    const bar: OwnerBar = { before, limit: limitOf(before), except, until }
    this.#owners.set(id, known === undefined ? bar : merge(known, bar), now)
    return known === undefined || before > known.before
  }
}

function bars({ limit, except }: OwnerBar, id: string, alias: string): boolean {
  return isWithin(limit, id) && !except.includes(id) && !except.includes(alias)
}

function merge(one: OwnerBar, other: OwnerBar): OwnerBar {
  const [older, newer] = one.before <= other.before ? [one, other] : [other, one]
  return {
    before: newer.before,
    limit: newer.limit,
    // What the newer one spares and the older one does not has ended.
    except: newer.except.filter((id) => !bars(older, id, id)),
    until: Math.max(one.until, other.until)
  }
}
