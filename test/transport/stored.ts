import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import type { IdentifiedRecord, LoadedRecord } from '../../lib/format/record.ts'
import { ReferenceFormat } from '../../lib/format/reference.ts'
import { MemberSeal } from '../../lib/format/sealed-member.ts'
import { GuardedStore } from '../../lib/stores/guarded.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { SealedStore } from '../../lib/stores/sealed.ts'
import { JSON_SCALE } from '../../lib/transport/size-limit.ts'
import type { StoreTransportSettings } from '../../lib/transport/store.ts'
import { StoreTransport } from '../../lib/transport/store.ts'
import type { SaveResult } from '../../lib/transport/transport.ts'
import type { SessionEnding } from '../../types/endings.ts'
import type { MaybePromise } from '../../types/store.ts'
import { CIPHER, fixedRandom, NOW, OLD_SECRET, RECORD as SAMPLE, SECRET } from '../format/samples.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

export const REQUEST = { ip: '::1' } as FastifyRequest
/** Without what it takes the place of. */
export const OCCASION = { request: REQUEST, replaced: undefined }
/** Seconds. */
export const STORE_TIMEOUT = 60
export const IDLE = 86_400
export const LATER = NOW + 2 * IDLE
export const MAX_BYTES = 1_048_576
export const SETTINGS: StoreTransportSettings = {
  idleTimeout: IDLE,
  absoluteTimeout: 30 * IDLE,
  maxIdleTimeout: IDLE,
  maxAbsoluteTimeout: 30 * IDLE,
  ownerLimit: undefined,
  describe: undefined,
  maxBytes: MAX_BYTES,
  scale: JSON_SCALE,
  renameGrace: 60,
  clock: () => NOW * 1000
}
export const ZERO_ID = 'A'.repeat(43)
export const RECORD = { ...SAMPLE, ownerId: undefined, json: '{"visits":12,"note":"a plain text"}' }

export function codecOf(cookieName = 'session', secrets: readonly Buffer[] = [SECRET]): ReferenceFormat {
  return new ReferenceFormat(deriveKeys(secrets, 'reference'), cookieName)
}

export function create(settings: Partial<StoreTransportSettings> = {}, codec = codecOf()) {
  const store = new RecordingStore(new MemoryStore({ clock: () => NOW * 1000, pruneInterval: 0 }))
  const all = { ...SETTINGS, ...settings }
  const told: SessionEnding[] = []
  const guarded = new GuardedStore(store, STORE_TIMEOUT)
  const transport = new StoreTransport(codec, guarded, all, fixedRandom(), (ending) => told.push(ending))
  return { store, transport, told, envelope: { ...RECORD, id: transport.newId() } }
}

/** Saves a record as a plan for it would. */
export function save(
  transport: StoreTransport,
  record: IdentifiedRecord,
  persisted: IdentifiedRecord | undefined,
  { request, replaced }: { request?: FastifyRequest; replaced?: IdentifiedRecord | undefined }
): MaybePromise<SaveResult> {
  if (replaced !== undefined) return transport.replace(record, replaced, request as FastifyRequest)
  if (persisted === undefined) return transport.create(record, request)
  if (persisted.id === record.id) return transport.update(record, persisted)
  return transport.changeId(record, persisted, request as FastifyRequest)
}

/** Runs a transaction whose change is told as JSON, and returns the record after it. */
export async function amend(
  transport: StoreTransport,
  persisted: IdentifiedRecord,
  change: (json: string) => Promise<string>
): Promise<IdentifiedRecord> {
  const { written } = await transport.transact({
    persisted,
    json: persisted.json,
    hasNewId: false,
    save: async () => undefined,
    change: async (data) => {
      const changed = JSON.parse(await change(JSON.stringify(data)))
      for (const key of Object.keys(data)) delete data[key]
      Object.assign(data, changed)
    }
  })
  return written?.record as IdentifiedRecord
}

/** The answer of a store that takes its time. */
export function later<T>(answer: MaybePromise<T>): Promise<T> {
  t.type(answer, Promise)
  return answer as Promise<T>
}

/** The same with the session in the store and the calls forgotten. */
export async function createSaved(settings: Partial<StoreTransportSettings> = {}) {
  const made = create(settings)
  await save(made.transport, made.envelope, undefined, OCCASION)
  made.store.takeCalls()
  const key = made.transport.handleOf(made.envelope.id)
  const jsonOf = async (id: string): Promise<string | undefined> =>
    (await made.store.inner.load(made.transport.handleOf(id)))?.json
  const write = (set: Record<string, string>): unknown => made.store.inner.commit(key, { set, unset: [] }, LATER)
  return { ...made, key, jsonOf, write }
}

/** A session that the store has sealed with a key that is older now. `load` loads it as `after` finds it. */
export async function createRotated() {
  const inner = new MemoryStore({ clock: () => NOW * 1000, pruneInterval: 0 })
  const transportWith = (secrets: Buffer[]): StoreTransport => {
    const seal = new MemberSeal(deriveKeys(secrets, 'member'), fixedRandom(), CIPHER)
    const store = new GuardedStore(new SealedStore(inner, seal), STORE_TIMEOUT)
    return new StoreTransport(codecOf('session', secrets), store, SETTINGS, fixedRandom())
  }
  const before = transportWith([SECRET])
  const record = { ...RECORD, id: before.newId() }
  await before.create(record, REQUEST)
  const after = transportWith([OLD_SECRET, SECRET])
  const load = (): LoadedRecord => after.load(before.seal(record)) as LoadedRecord
  return { inner, after, key: before.handleOf(record.id), load }
}
