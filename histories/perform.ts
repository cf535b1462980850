import type { SetCookie } from '../lib/testing/set-cookie.ts'
import { parseSetCookie } from '../lib/testing/set-cookie.ts'
import type { Data, Operation, Outcome } from './history.ts'

export interface Reply {
  readonly status: number
  readonly setCookie: readonly string[]
  readonly body: string
}

/** An application that can be asked. */
export interface Target {
  /** The name of its process. */
  readonly process: string
  /** Rejects if there is no answer. `NotSentError`: the application has not got the request. */
  post(path: string, body: string, cookie: string): Promise<Reply>
}

export class NotSentError extends Error {}

export interface Performed {
  readonly outcome: Outcome
  /** The cookie of the session, if the reply has a new one. */
  readonly cookie: string | undefined
}

interface Body {
  readonly code?: string
  readonly key?: string
  readonly data?: Data
  readonly keys?: readonly string[]
}

/** What refuses an operation without doing anything. */
const REFUSALS: readonly string[] = ['ERR_SESSION_CONFLICT', 'ERR_SESSION_LIMIT']

/** Asks for an operation. Returns undefined if the application has not got the request. */
export async function perform(target: Target, operation: Operation, cookie: string): Promise<Performed | undefined> {
  let reply: Reply
  try {
    reply = await target.post(`/${operation.kind}`, JSON.stringify(operation), cookie)
  } catch (error) {
    if (error instanceof NotSentError) return undefined
    return { outcome: { kind: 'unknown', hasAnswer: false, setsCookie: false }, cookie: undefined }
  }
  const set = reply.setCookie.map(parseSetCookie).find(({ isDeleted }) => !isDeleted)
  const outcome = outcomeOf(operation, reply, set)
  return { outcome, cookie: set && outcome.kind === 'ok' ? `${set.name}=${set.value}` : undefined }
}

function outcomeOf(operation: Operation, { status, body }: Reply, set: SetCookie | undefined): Outcome {
  const { code, key, data, keys } = parse(body)
  if (status === 200) {
    // Its cookie says whether it was saved: a reply does not fail because the session has ended meanwhile.
    if (operation.kind === 'change' && set === undefined) return { kind: 'gone' }
    if (operation.kind === 'begin' && set === undefined) return { kind: 'wrong', text: '200 without a cookie' }
    return { kind: 'ok', ...(key && { key }), ...(data && { data }), ...(keys && { keys }) }
  }
  if (status === 503 && code === 'ERR_SESSION_STORE_UNAVAILABLE') {
    return { kind: 'unknown', hasAnswer: true, setsCookie: set !== undefined }
  }
  if (status === 401 || (status === 409 && code === 'ERR_SESSION_GONE')) return { kind: 'gone' }
  if (status === 409 && code !== undefined && REFUSALS.includes(code)) return { kind: 'refused', code }
  return { kind: 'wrong', text: `${status} ${body.slice(0, 200)}` }
}

function parse(body: string): Body {
  try {
    return JSON.parse(body)
  } catch {
    return {}
  }
}
