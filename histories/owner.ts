import type { Change, Operation } from './history.ts'
import type { Target } from './perform.ts'
import type { Random } from './random.ts'
import type { Recorder } from './recorder.ts'

/** An id that an application has given to a browser. */
interface Held {
  readonly key: string
  cookie: string
}

/** A session with every id that it has had, the newest last. */
interface HeldSession {
  readonly name: string
  readonly ids: Held[]
  owner: string | undefined
}

/** A request on a session with one of its ids. */
type OnSession = Exclude<Operation['kind'], 'begin' | 'revokeAll' | 'list'>

/** How often each kind of request comes. */
type Weights = Readonly<Partial<Record<Operation['kind'], number>>>

/** `busy` owners log in more often than the limit allows and end sessions. `steady` ones keep the two that they have. */
const WEIGHTS: Readonly<Record<'busy' | 'steady', Weights>> = {
  busy: { increment: 20, write: 20, read: 20, change: 6, begin: 7, list: 7, logout: 4, revoke: 3, revokeAll: 2 },
  steady: { increment: 30, write: 30, read: 25, change: 6, list: 3 }
}
const NAMES: readonly string[] = ['color', 'theme', 'page']
const STEADY_SESSIONS = 2
/** How often a request comes with an id that is no longer the newest one, or of a session that has ended. */
const OLD_ID = 0.15
/** How often a session begins as that of a stranger, who logs in later. */
const STRANGER = 0.4
/** How often a handler waits for `commit()`. */
const COMMITS = 0.7

/** The browsers of one owner. They share sessions, as the tabs of a browser do, and know every cookie that there was. */
export class Owner {
  readonly name: string
  readonly #kind: 'busy' | 'steady'
  readonly #random: Random
  readonly #recorder: Recorder
  readonly #sessions: HeldSession[] = []
  #begun = 0

  constructor(name: string, kind: 'busy' | 'steady', random: Random, recorder: Recorder) {
    this.name = name
    this.#kind = kind
    this.#random = random
    this.#recorder = recorder
  }

  /** Sends one request to an application. False if the application has not got it. */
  async act(target: Target): Promise<boolean> {
    const isMissing = this.#sessions.length < (this.#kind === 'steady' ? STEADY_SESSIONS : 1)
    const kind = isMissing ? 'begin' : this.#pickKind()
    switch (kind) {
      case 'begin':
        return this.#begin(target)
      case 'list':
        return this.list(target)
      case 'revokeAll':
        return this.#revokeAll(target)
      default:
        return this.#use(kind, target)
    }
  }

  /** Asks for the list of the owner's sessions. */
  async list(target: Target): Promise<boolean> {
    return (await this.#recorder.ask(target, { kind: 'list', owner: this.name })) !== undefined
  }

  /** Reads every session with every id that it has had. */
  async readAll(target: Target): Promise<void> {
    for (const { name, ids } of this.#sessions) {
      for (const { key, cookie } of ids) await this.#recorder.ask(target, { kind: 'read', session: name, key }, cookie)
    }
  }

  async #begin(target: Target): Promise<boolean> {
    this.#begun++
    const name = `${this.name}/${this.#begun}`
    const owner = this.#random.chance(STRANGER) ? undefined : this.name
    const done = await this.#recorder.ask(target, { kind: 'begin', session: name, owner })
    if (done?.outcome.kind === 'ok' && done.outcome.key !== undefined && done.cookie !== undefined) {
      this.#sessions.push({ name, ids: [{ key: done.outcome.key, cookie: done.cookie }], owner })
    }
    return done !== undefined
  }

  async #revokeAll(target: Target): Promise<boolean> {
    const except = this.#random.chance(0.5) ? this.#pickSession().ids.at(-1)?.key : undefined
    return (await this.#recorder.ask(target, { kind: 'revokeAll', owner: this.name, except })) !== undefined
  }

  async #use(kind: OnSession, target: Target): Promise<boolean> {
    const session = this.#pickSession()
    const id = this.#random.chance(OLD_ID) ? this.#random.pick(session.ids) : (session.ids.at(-1) as Held)
    const operation = this.#operation(kind, session, id.key)
    const done = await this.#recorder.ask(target, operation, kind === 'revoke' ? '' : id.cookie)
    if (done?.outcome.kind === 'ok' && done.cookie !== undefined && done.outcome.key !== undefined) {
      if (done.outcome.key === id.key) id.cookie = done.cookie
      else session.ids.push({ key: done.outcome.key, cookie: done.cookie })
      if (operation.kind === 'change') session.owner = operation.owner
    }
    return done !== undefined
  }

  #operation(kind: OnSession, { name: session, owner }: HeldSession, key: string): Operation {
    switch (kind) {
      case 'increment':
        return { kind, session, key, token: this.#recorder.nextNumber() }
      case 'write': {
        const [name, commits] = [this.#random.pick(NAMES), this.#random.chance(COMMITS)]
        return { kind, session, key, name, value: this.#recorder.nextNumber(), commits }
      }
      case 'change':
        return { kind, session, key, commits: this.#random.chance(COMMITS), ...this.#howToChange(owner) }
      default:
        return { kind, session, key }
    }
  }

  #howToChange(owner: string | undefined): Pick<Change, 'how' | 'owner'> {
    if (owner === undefined) return { how: 'login', owner: this.name }
    return { how: this.#random.chance(0.7) ? 'renew' : 'regenerate', owner }
  }

  /** The newest sessions are the ones that live. */
  #pickSession(): HeldSession {
    const newest = this.#random.chance(OLD_ID) ? this.#sessions : this.#sessions.slice(-STEADY_SESSIONS)
    return this.#random.pick(newest)
  }

  #pickKind(): Operation['kind'] {
    const weights = Object.entries(WEIGHTS[this.#kind]) as [Operation['kind'], number][]
    let left = this.#random.next() * weights.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [kind, weight] of weights) {
      left -= weight
      if (left < 0) return kind
    }
    return 'read'
  }
}
