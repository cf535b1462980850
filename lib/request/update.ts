import type { MaybePromise } from '../../types/store.ts'
import { toJson } from '../data/storable.ts'
import { GoneError, goneError } from '../errors.ts'
import type { IdentifiedRecord } from '../format/record.ts'
import type { ChangeData, TransactionResult, Transport } from '../transport/transport.ts'
import { KeyedQueue } from '../util/keyed-queue.ts'
import { chain, settled } from '../util/maybe-async.ts'
import { assertStoreAvailable, attempt } from './attempt.ts'
import type { DataSink } from './session-data.ts'
import { applyData } from './session-data.ts'
import type { SessionState } from './state.ts'

/** Saves what the request has changed so far. */
export type Commit = (state: SessionState) => Promise<void>

/** Runs `session.update()` as a transaction of the transport. Updates of one request wait for each other. */
export class SessionUpdater {
  readonly #transport: Transport
  readonly #commit: Commit
  readonly #queue: KeyedQueue<SessionState> = new KeyedQueue(undefined, new WeakMap())

  constructor(transport: Transport, commit: Commit) {
    this.#transport = transport
    this.#commit = commit
  }

  async update(state: SessionState, change: ChangeData, sink: DataSink): Promise<unknown> {
    if (state.goesOnElsewhere) throw goneError()
    return this.#queue.run(state, () => {
      assertStoreAvailable(state)
      return attempt(state, () => this.#update(state, change, sink))
    })
  }

  #update(state: SessionState, change: ChangeData, sink: DataSink): MaybePromise<unknown> {
    const json = toJson(sink.session)
    let result: unknown
    const changed = this.#transact(state, json, (data) =>
      chain(settled(change(data)), (value) => {
        result = value
        sink.assertData(data)
      })
    )
    return chain(changed, (data) => {
      applyData(JSON.parse(json), data, sink.set)
      return result
    })
  }

  #transact(state: SessionState, json: string, change: ChangeData): MaybePromise<Record<string, unknown>> {
    const { persisted, hasNewId, migratedJson } = state
    const save = async (): Promise<IdentifiedRecord | undefined> => {
      await this.#commit(state)
      return state.persisted
    }
    const result = this.#transport.transact({ persisted, migratedJson, json, hasNewId, save, change })
    if (!(result instanceof Promise)) return result.data
    return result.then(
      (result) => note(state, result),
      (error) => {
        if (error instanceof GoneError) state.reply.conclude('gone')
        throw error
      }
    )
  }
}

function note(state: SessionState, { data, written }: TransactionResult): Record<string, unknown> {
  if (written === undefined) return data
  const { base, record } = written
  state.transacted(base, record)
  if (record.json !== base.json && state.reply.reason === undefined) state.reply.conclude('changed')
  return data
}
