import type {
  Bounds,
  Change,
  Check,
  Data,
  Entry,
  History,
  Interruption,
  Operation,
  Outcome,
  Write
} from '../../histories/history.ts'

const BOUNDS: Bounds = { storeTimeout: 100, slack: 50, lateness: 20, maxPerOwner: 2, healthyFrom: 10_000 }

/** 503. */
export const FAILED: Outcome = { kind: 'unknown', hasAnswer: true, setsCookie: false }
/** The process was killed. */
export const CUT_OFF: Outcome = { kind: 'unknown', hasAnswer: false, setsCookie: false }
export const GONE: Outcome = { kind: 'gone' }
export const OK: Outcome = { kind: 'ok' }
export const REFUSED: Outcome = { kind: 'refused', code: 'ERR_SESSION_LIMIT' }

export function entry(from: number, to: number, operation: Operation, outcome: Outcome = OK, process = 'a'): Entry {
  return { process, operation, invokedAt: from, answeredAt: to, outcome }
}

export function history(entries: readonly Entry[], interruptions: readonly Interruption[] = []): History {
  return { entries, interruptions, bounds: BOUNDS }
}

/** Returns the texts of the violations. */
export function textsOf(check: Check, entries: readonly Entry[], interruptions?: readonly Interruption[]): string[] {
  return check(history(entries, interruptions)).map(({ text }) => text)
}

export function begin(session = 's', owner: string | undefined = 'ada'): Operation {
  return { kind: 'begin', session, owner }
}

export function increment(token: number, key = 'k1', session = 's'): Operation {
  return { kind: 'increment', session, key, token }
}

export function write(value: number, more: Partial<Write> = {}): Operation {
  return { kind: 'write', session: 's', key: 'k1', name: 'page', value, commits: true, ...more }
}

export function change(key = 'k1', more: Partial<Change> = {}): Operation {
  return { kind: 'change', session: 's', key, how: 'renew', owner: 'ada', commits: true, ...more }
}

export function read(key = 'k1', session = 's'): Operation {
  return { kind: 'read', session, key }
}

export function list(owner = 'ada'): Operation {
  return { kind: 'list', owner }
}

export function saw(data: Data): Outcome {
  return { kind: 'ok', data }
}

export function got(key: string): Outcome {
  return { kind: 'ok', key }
}

export function listed(...keys: readonly string[]): Outcome {
  return { kind: 'ok', keys }
}
