/** What a browser asks of an application. `session` names a session from its beginning to its end, whatever its ids. */
export type Operation =
  /** Begins a session, of an owner or of a stranger. */
  | { readonly kind: 'begin'; readonly session: string; readonly owner: string | undefined }
  /** Adds a token to a list, by `update()`. */
  | { readonly kind: 'increment'; readonly session: string; readonly key: string; readonly token: number }
  /** Sets a member, and its twin, to a value that no other write sets. */
  | Write
  | { readonly kind: 'read'; readonly session: string; readonly key: string }
  | Change
  | { readonly kind: 'logout'; readonly session: string; readonly key: string }
  | { readonly kind: 'revoke'; readonly session: string; readonly key: string }
  /** `except`: the key of a session that stays. */
  | { readonly kind: 'revokeAll'; readonly owner: string; readonly except: string | undefined }
  | { readonly kind: 'list'; readonly owner: string }

export interface Write {
  readonly kind: 'write'
  readonly session: string
  readonly key: string
  readonly name: string
  readonly value: number
  /** Whether the handler waits for `commit()`. Otherwise the reply saves, and says nothing if the session has ended. */
  readonly commits: boolean
}

/** A change of id. */
export interface Change {
  readonly kind: 'change'
  readonly session: string
  readonly key: string
  readonly how: 'renew' | 'regenerate' | 'login'
  /** The owner that the session has, or gets by `login`. */
  readonly owner: string | undefined
  readonly commits: boolean
}

/** What a session holds. `applied`: the tokens of all increments. Everything else is a member that a write has set. */
export interface Data {
  readonly applied?: readonly number[]
  readonly [name: string]: unknown
}

export type Outcome =
  /** Acknowledged. `key`: the key of the session, under its new id after `begin` and `change`. `keys`: what was listed. */
  | { readonly kind: 'ok'; readonly key?: string; readonly data?: Data; readonly keys?: readonly string[] }
  /** The session does not open, or another request has ended it: nothing was done. */
  | { readonly kind: 'gone' }
  /** Refused with this code: nothing was done. */
  | { readonly kind: 'refused'; readonly code: string }
  /** 503, or no answer at all. It may have been done. `setsCookie`: the answer has a new cookie nevertheless. */
  | { readonly kind: 'unknown'; readonly hasAnswer: boolean; readonly setsCookie: boolean }
  /** An answer that no request should get. */
  | { readonly kind: 'wrong'; readonly text: string }

/** One request, from its first byte to the last byte of its answer. All times are milliseconds of one clock. */
export interface Entry {
  /** The process that was asked. A process that is started again has another name. */
  readonly process: string
  readonly operation: Operation
  readonly invokedAt: number
  readonly answeredAt: number
  readonly outcome: Outcome
}

/** A time during which a process stood still. One that was killed stands still for ever: `to` is `Infinity`. */
export interface Interruption {
  /** Undefined: the process that measures the times. */
  readonly process: string | undefined
  readonly from: number
  readonly to: number
}

/** What the checks take as given. All times are milliseconds. */
export interface Bounds {
  readonly storeTimeout: number
  /** How much longer than its store a request may take on a busy machine. */
  readonly slack: number
  /** How long after the answer that it is unknown, an operation may still be applied. */
  readonly lateness: number
  readonly maxPerOwner: number
  /** When all faults were over, and what they left half done had time to be undone. */
  readonly healthyFrom: number
}

export interface History {
  readonly entries: readonly Entry[]
  readonly interruptions: readonly Interruption[]
  readonly bounds: Bounds
}

/** A promise that was broken. */
export interface Violation {
  readonly check: string
  readonly text: string
  /** The entries that show it, in their order. */
  readonly entries: readonly Entry[]
}

/** Returns the violations of one promise. */
export type Check = (history: History) => Violation[]

export type EntryOf<Kind extends Operation['kind']> = Entry & {
  readonly operation: Extract<Operation, { kind: Kind }>
}

export function entriesOf<Kind extends Operation['kind']>(entries: readonly Entry[], kind: Kind): EntryOf<Kind>[] {
  return entries.filter((entry): entry is EntryOf<Kind> => entry.operation.kind === kind)
}

/** Returns the session, the owner or the key that an operation names. */
export function sessionOf({ operation }: Entry): string | undefined {
  return 'session' in operation ? operation.session : undefined
}

export function ownerOf({ operation }: Entry): string | undefined {
  return 'owner' in operation ? operation.owner : undefined
}

export function keyOf({ operation }: Entry): string | undefined {
  return 'key' in operation ? operation.key : undefined
}

/** Returns the keys that a list shows. */
export function keysOf({ outcome }: Entry): readonly string[] {
  return (outcome.kind === 'ok' && outcome.keys) || []
}

/** Returns the data that a read shows. */
export function dataOf({ outcome }: Entry): Data {
  return (outcome.kind === 'ok' && outcome.data) || {}
}

/** Returns the entries of each session. */
export function bySession(entries: readonly Entry[]): Map<string, Entry[]> {
  return group(entries, sessionOf)
}

/** Puts what has the same key together, and leaves out what has none. */
export function group<T>(items: readonly T[], keyOf: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    if (key === undefined) continue
    const members = groups.get(key)
    if (members === undefined) groups.set(key, [item])
    else members.push(item)
  }
  return groups
}

export function isDone({ outcome }: Entry): boolean {
  return outcome.kind === 'ok'
}

/** Whether it was done, or may have been. */
export function mayBeDone({ outcome }: Entry): boolean {
  return outcome.kind === 'ok' || outcome.kind === 'unknown'
}

/** Returns the last moment at which an operation can take effect. */
export function lastEffect({ answeredAt, outcome }: Entry, { storeTimeout, lateness }: Bounds): number {
  if (outcome.kind !== 'unknown') return answeredAt
  // Without an answer, the store may have got it just before the process was killed.
  return answeredAt + (outcome.hasAnswer ? 0 : storeTimeout) + lateness
}

/** Whether the process of a request was killed before it could undo what it had left half done. */
export function isAbandoned({ process, invokedAt }: Entry, { interruptions, bounds }: History): boolean {
  return interruptions.some(
    (one) =>
      one.process === process &&
      one.to === Number.POSITIVE_INFINITY &&
      one.from >= invokedAt &&
      one.from < bounds.healthyFrom
  )
}

/** Whether the session was open when the request came. */
export function hasOpened({ operation, outcome }: Entry): boolean {
  return outcome.kind === 'ok' && 'key' in operation && operation.kind !== 'logout' && operation.kind !== 'revoke'
}
