import { createHash } from 'node:crypto'
import type {
  CommitResult,
  CreateResult,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  SessionStore,
  StoredRecord
} from '../../../types/store.ts'
import { RandomPool } from '../../crypto/random.ts'
import { NO_CHANGES, toMembers } from '../../data/json-members.ts'
import { assertKnown, isString, readClock, readOption } from '../../util/check.ts'
import type { Fields, IoredisClient, NodeRedisClient, RedisCommands, Script } from './client.ts'
import { toCommands } from './client.ts'

export type { IoredisClient, NodeRedisClient } from './client.ts'

// How the records of an owner are kept together. A record is one hash, so that each of its changes is one script. The index
// of an owner, a sorted set, is another key, and in a cluster it is on another node: no script can change both. Therefore
// the order of steps makes sure of this:
//
//   1. A live record is in the index of its owner, under a score that is not before its expiry. So the index is written
//      first: a new record is pending, which is not live, until it has its place in the index; and a record carries the
//      score that it has in the index, so that a commit or touch notices by itself when that must move before it may go on.
//      The score is twice as far away as the expiry, which makes this rare: once in as long a time as sessions live.
//   2. An entry of the index may have no live record: after a crash, after an expiry, or while records come and go. Who
//      lists looks at the records. Who is about to evict or refuse looks at them first and removes entries that have none;
//      this can hit no login that is under way, whose record has been pending since before its entry.
//   3. The index decides who gets in, in one script, so that logins at once do not get past a limit. What is evicted is
//      marked there (by a negative score) in that same script, and has ended before the new record goes live. If this is
//      cut short, the next login of that owner ends what was marked.
//
// Clients send a command again when its connection broke before the reply, though it may have been carried out. So each
// create and commit leaves a mark of its own on the record, by which a script sees that it has been there already. Without
// it, ioredis would turn a commit that was made into a conflict, and a counter would count twice.

/** How long a record may wait for its place in the index before it is given up. */
const PENDING_MILLISECONDS = 60_000
/** The least number of seconds that a record is listed for beyond its expiry. */
const LEAST_SLACK = 60

/** The options of a `RedisStore`. */
export interface RedisStoreOptions {
  /** A client of ioredis or node-redis. It stays yours: the store neither connects nor closes it. */
  client: IoredisClient | NodeRedisClient
  /** What the names of all keys begin with. Default `'session:'`. */
  prefix?: string
  /** The time in milliseconds since 1970. For tests. Default `Date.now`. */
  clock?: () => number
}

/**
 * Keeps sessions in Redis (6.2 or later) or Valkey: one server, Sentinel or Cluster. A load is one round trip, and so is a
 * commit; Redis removes what has expired.
 *
 * Throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. Errors of the client and of Redis come as they are.
 *
 * @example
 * ```ts
 * import { Redis } from 'ioredis'
 *
 * const store = new RedisStore({ client: new Redis('redis://localhost') })
 * await app.register(session, { secret: process.env.SESSION_SECRET, store })
 * ```
 */
export class RedisStore implements SessionStore {
  readonly #commands: RedisCommands
  readonly #prefix: string
  readonly #clock: () => number
  readonly #random: RandomPool = new RandomPool()

  constructor(options: RedisStoreOptions) {
    assertKnown(options, ['client', 'prefix', 'clock'], 'RedisStore')
    this.#commands = toCommands(options.client)
    this.#prefix = readOption(options.prefix, 'session:', 'prefix', 'a string', isString)
    this.#clock = readClock(options.clock)
  }

  async create(key: string, record: SessionRecord, expiresAt: number, limit?: OwnerLimit): Promise<CreateResult> {
    const mark = this.#newMark()
    const fields = [...toFields(record, expiresAt), MARK, mark]
    // What has expired already needs no place in an index.
    if (record.ownerId === undefined || (expiresAt + 1) * 1000 <= this.#clock()) {
      const [isNew] = await this.#run(CREATE, this.#nameOf(key), expiresAt, '', mark, ...fields)
      return isNew === '1'
    }
    const owner = toOwner(record.ownerId)
    const entry = toEntry(String(record.createdAt), key)
    const until = this.#listUntil(expiresAt)
    fields.push(LISTED_UNTIL, String(until), PENDING, '1')
    const [isNew] = await this.#run(CREATE, this.#nameOf(key), expiresAt, PENDING_MILLISECONDS, mark, ...fields)
    if (isNew !== '1') return false
    if (!(await this.#admit(owner, entry, until, limit))) {
      await this.#run(END, this.#nameOf(key), owner)
      return 'over-limit'
    }
    // Nothing is left to go live when another login has evicted it by now, or destroyAll came by. It was created, then ended.
    await this.#run(GO_LIVE, this.#nameOf(key))
    return true
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    return toRecord(key, await this.#commands.getAll(this.#nameOf(key)), Math.floor(this.#clock() / 1000))
  }

  async commit(key: string, changes: SessionChanges, expiresAt: number, version?: number): Promise<CommitResult> {
    return this.#write(key, changes, expiresAt, this.#newMark(), version)
  }

  async touch(key: string, expiresAt: number, lastSeenAt?: number): Promise<boolean> {
    return (await this.#write(key, { ...NO_CHANGES, lastSeenAt }, expiresAt, '')) === 'committed'
  }

  async destroy(key: string): Promise<void> {
    const [, owner = '', createdAt = ''] = await this.#run(END, this.#nameOf(key), '')
    await this.#unlist(key, owner, createdAt)
  }

  async list(ownerId: string): Promise<StoredRecord[]> {
    const keys = (await this.#run(ENTRIES, this.#indexOf(toOwner(ownerId)))).map(toKey)
    const records = await Promise.all(keys.map((key) => this.load(key)))
    return records.filter((record) => record !== undefined && record.ownerId === ownerId) as StoredRecord[]
  }

  async destroyAll(ownerId: string, exceptKey?: string): Promise<number> {
    const owner = toOwner(ownerId)
    const entries = await this.#run(ENTRIES, this.#indexOf(owner))
    return this.#end(
      owner,
      entries.filter((entry) => toKey(entry) !== exceptKey)
    )
  }

  /** Does nothing: the store has started nothing, and the client is yours to close. */
  async close(): Promise<void> {}

  /** Commit and touch: one round trip, but for an owner's record whose place in the index must be extended first. */
  async #write(
    key: string,
    changes: SessionChanges,
    expiresAt: number,
    mark: string,
    version?: number
  ): Promise<CommitResult> {
    const { set, unset, lastSeenAt, permanent } = changes
    const fields = [EXPIRES_AT, String(expiresAt)]
    if (mark !== '') fields.push(MARK, mark)
    if (lastSeenAt !== undefined) fields.push(LAST_SEEN_AT, String(lastSeenAt))
    if (permanent !== undefined) fields.push(PERMANENT, toFlag(permanent))
    for (const [name, text] of Object.entries(set)) fields.push(toField(name), text)
    const removed = unset.map(toField)
    const call = (listedUntil: number): Promise<string[]> =>
      this.#run(
        WRITE,
        this.#nameOf(key),
        expiresAt,
        listedUntil,
        version ?? '',
        mark,
        removed.length,
        ...removed,
        ...fields
      )
    let [result, owner = '', createdAt = ''] = await call(0)
    if (result === 'unlisted') {
      const until = this.#listUntil(expiresAt)
      await this.#run(EXTEND, this.#indexOf(owner), until, toEntry(createdAt, key))
      ;[result, owner = '', createdAt = ''] = await call(until)
    }
    if (result !== 'ended') return result as CommitResult
    await this.#unlist(key, owner, createdAt)
    return 'committed'
  }

  /** Whether the owner may have one more record. If so, it has its place in the index, and what had to make room has ended. */
  async #admit(owner: string, entry: string, until: number, limit: OwnerLimit | undefined): Promise<boolean> {
    const { max = 0, evict = false, replacing = '' } = limit ?? {}
    const call = (isChecked: boolean, stale: readonly string[]): Promise<string[]> =>
      this.#run(ADMIT, this.#indexOf(owner), until, entry, max, evict ? 1 : 0, replacing, isChecked ? 1 : 0, ...stale)
    let [result, ...entries] = await call(false, [])
    if (result === 'full') [result, ...entries] = await call(true, await this.#findStale(owner, entries))
    if (result === 'over-limit') return false
    await this.#end(owner, entries)
    return true
  }

  /** Those entries of an owner's index that have no record, not even a pending one. */
  async #findStale(owner: string, entries: readonly string[]): Promise<string[]> {
    const replies = await Promise.all(entries.map((entry) => this.#run(IS_THERE, this.#nameOf(toKey(entry)), owner)))
    return entries.filter((_, index) => replies[index]?.[0] !== '1')
  }

  /** Ends records of an owner, then removes their entries from the index. How many of them were live. */
  async #end(owner: string, entries: readonly string[]): Promise<number> {
    if (entries.length === 0) return 0
    const replies = await Promise.all(entries.map((entry) => this.#run(END, this.#nameOf(toKey(entry)), owner)))
    await this.#run(UNLIST, this.#indexOf(owner), ...entries)
    return replies.filter(([wasLive]) => wasLive === '1').length
  }

  /** Removes the entry of a record that has ended, if it had an owner. */
  async #unlist(key: string, owner: string, createdAt: string): Promise<void> {
    if (owner === '') return
    try {
      await this.#run(UNLIST, this.#indexOf(owner), toEntry(createdAt, key))
    } catch {
      // The record has ended, and whoever asked for that should not read that it failed. Its entry counts for nothing.
    }
  }

  #run(script: Script, name: string, ...values: readonly (string | number)[]): Promise<string[]> {
    return this.#commands.run(script, name, [String(Math.floor(this.#clock())), ...values.map(String)])
  }

  #newMark(): string {
    return this.#random.text(6)
  }

  #listUntil(expiresAt: number): number {
    return expiresAt + Math.max(LEAST_SLACK, expiresAt - Math.floor(this.#clock() / 1000))
  }

  #nameOf(key: string): string {
    return `${this.#prefix}${key}`
  }

  /** A hash has no braces, so that the whole name decides on the slot in a cluster; and names of keys tell no owner. */
  #indexOf(owner: string): string {
    return `${this.#prefix}owner:${createHash('sha256').update(owner).digest('base64url')}`
  }
}

// The fields of a record. Those of members begin with a dot, the others are one letter.
const [CREATED_AT, LAST_SEEN_AT, EXPIRES_AT, VERSION, PERMANENT] = ['c', 's', 'e', 'v', 'p'] as const
const [OWNER, DESCRIPTION, LISTED_UNTIL, PENDING, MARK] = ['o', 'd', 'l', 'n', 'm'] as const

/** The name of a member as JSON writes it, which is text of any name: lone surrogates would be lost on the way. */
function toField(name: string): string {
  return `.${JSON.stringify(name).slice(1, -1)}`
}

/** An id as JSON writes it, for the same reason. */
function toOwner(ownerId: string): string {
  return JSON.stringify(ownerId)
}

function toFlag(flag: boolean): string {
  return flag ? '1' : '0'
}

function toFields(record: SessionRecord, expiresAt: number): string[] {
  const { json, createdAt, lastSeenAt, permanent, ownerId, description } = record
  const fields = [CREATED_AT, String(createdAt), LAST_SEEN_AT, String(lastSeenAt), EXPIRES_AT, String(expiresAt)]
  fields.push(VERSION, '0', PERMANENT, toFlag(permanent))
  if (ownerId !== undefined) fields.push(OWNER, toOwner(ownerId))
  if (description !== undefined) fields.push(DESCRIPTION, description)
  for (const [name, text] of toMembers(json)) fields.push(toField(name), text)
  return fields
}

/** The opposite of `toFields`; undefined where there is nothing, or nothing live, at a second. */
function toRecord(key: string, fields: Fields, now: number): StoredRecord | undefined {
  const expiresAt = Number(fields[EXPIRES_AT])
  if (!(expiresAt >= now) || fields[PENDING] !== undefined) return undefined
  let json = ''
  for (const field in fields) {
    if (field.startsWith('.')) json += `${json === '' ? '' : ','}"${field.slice(1)}":${fields[field]}`
  }
  const [owner, description] = [fields[OWNER], fields[DESCRIPTION]]
  return {
    key,
    json: `{${json}}`,
    createdAt: Number(fields[CREATED_AT]),
    lastSeenAt: Number(fields[LAST_SEEN_AT]),
    permanent: String(fields[PERMANENT]) === '1',
    ownerId: owner === undefined ? undefined : JSON.parse(String(owner)),
    description: description === undefined ? undefined : String(description),
    expiresAt,
    version: Number(fields[VERSION])
  }
}

/** A member of an index: when the record was created, which decides on who has to make room, and its key. */
function toEntry(createdAt: string, key: string): string {
  return `${createdAt}:${key}`
}

function toKey(entry: string): string {
  return entry.slice(entry.indexOf(':') + 1)
}

/**
 * Each script works on one key, which is all that a cluster allows, and gets the time first: in milliseconds and of the
 * application's clock, so that the server's own does not matter. Each gives an array of strings, which is the same in all
 * versions of the protocol. They use what Redis 6.2 has.
 */
function define(body: string): Script {
  const source = `local key, time = KEYS[1], tonumber(ARGV[1])
local now = math.floor(time / 1000)
-- A record is there at the last second and gone at the next.
local function left(last) return (tonumber(last) + 1) * 1000 - time end
${body.trim()}
`
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/** Sets the fields and values from argument `first` on. A call takes no more of them than fit on Lua's stack. */
const SET_FIELDS = `
local function set_fields(first)
  for i = first, #ARGV, 1000 do redis.call('HSET', key, unpack(ARGV, i, math.min(i + 999, #ARGV))) end
end`

/** Arguments: expiry, milliseconds to keep it for if it is pending, mark, fields and values, those two among them. */
const CREATE = define(`${SET_FIELDS}
local expiry, mark = unpack(redis.call('HMGET', key, 'e', 'm'))
if expiry and left(expiry) > 0 then return { mark == ARGV[4] and '1' or '0' } end
if expiry then redis.call('DEL', key) end
set_fields(5)
local life = left(ARGV[2])
-- If nothing is left of it, this removes it.
redis.call('PEXPIRE', key, math.min(life, tonumber(ARGV[3]) or life))
return { '1' }
`)

const GO_LIVE = define(`
if redis.call('HDEL', key, 'n') == 0 then return {} end
redis.call('PEXPIRE', key, left(redis.call('HGET', key, 'e')))
return {}
`)

/** Arguments: owner. A pending record is there. */
const IS_THERE = define(`
local meta = redis.call('HMGET', key, 'e', 'o')
if meta[1] and left(meta[1]) > 0 and meta[2] == ARGV[2] then return { '1' } end
return {}
`)

/**
 * Arguments: expiry, what the index has been extended to, version or '', mark or '' for a touch, the number of fields to
 * remove, those, fields and values to set, expiry and mark among them.
 */
const WRITE = define(`${SET_FIELDS}
local expiry, pending, version, mark, listed = unpack(redis.call('HMGET', key, 'e', 'n', 'v', 'm', 'l'))
if not expiry or pending then return { 'gone' } end
if left(expiry) <= 0 then
  redis.call('DEL', key)
  return { 'gone' }
end
if ARGV[5] == mark then return { 'committed' } end
if ARGV[4] ~= '' and ARGV[4] ~= version then return { 'conflict' } end
local function with_owner(result)
  local owner, created = unpack(redis.call('HMGET', key, 'o', 'c'))
  return { result, owner or '', created }
end
if left(ARGV[2]) <= 0 then
  local reply = with_owner('ended')
  redis.call('DEL', key)
  return reply
end
if listed then
  local extended = tonumber(ARGV[3]) > tonumber(listed)
  if extended then listed = ARGV[3] end
  if tonumber(ARGV[2]) > tonumber(listed) then return with_owner('unlisted') end
  if extended then redis.call('HSET', key, 'l', listed) end
end
local first = 7 + tonumber(ARGV[6])
-- A server that is full refuses to set, and would not once something was removed.
set_fields(first)
for i = 7, first - 1 do redis.call('HDEL', key, ARGV[i]) end
if ARGV[5] ~= '' then redis.call('HINCRBY', key, 'v', 1) end
if ARGV[2] ~= expiry then redis.call('PEXPIRE', key, left(ARGV[2])) end
return { 'committed' }
`)

/** Arguments: the owner whose it must be, or ''. Gives whether it was live, and what finds its entry. */
const END = define(`
local meta = redis.call('HMGET', key, 'e', 'n', 'o', 'c')
local expiry, pending, owner, created = unpack(meta)
if not expiry or (ARGV[2] ~= '' and ARGV[2] ~= owner) then return {} end
redis.call('DEL', key)
local live = not pending and left(expiry) > 0
return { live and '1' or '0', owner or '', created }
`)

/** An index is kept for as long as the entry that stays longest. `PEXPIRE … GT` would need Redis 7. */
const KEEP = `
local function keep(score)
  if redis.call('PTTL', key) < left(score) then redis.call('PEXPIRE', key, left(score)) end
end`

/**
 * Arguments: score, entry, limit or 0, whether it evicts, the key that does not count, whether the entries have been looked
 * at, stale entries. Gives `full` and the entries that ought to be looked at, or `over-limit`, or `in` and entries whose
 * records have to end.
 */
const ADMIT = define(`${KEEP}
redis.call('ZREMRANGEBYSCORE', key, '(-' .. now, '(' .. now)
for i = 8, #ARGV do redis.call('ZREM', key, ARGV[i]) end
local max = tonumber(ARGV[4])
if max > 0 then
  local others = {}
  for _, entry in ipairs(redis.call('ZRANGEBYSCORE', key, now, '+inf')) do
    local created, name = string.match(entry, '^(%d+):(.*)$')
    if name ~= ARGV[6] and entry ~= ARGV[3] then table.insert(others, { entry = entry, created = tonumber(created) }) end
  end
  local surplus = #others + 1 - max
  if surplus > 0 and ARGV[7] == '0' then
    local reply = { 'full' }
    for _, other in ipairs(others) do table.insert(reply, other.entry) end
    return reply
  end
  if surplus > 0 and ARGV[5] == '0' then return { 'over-limit' } end
  table.sort(others, function(a, b)
    return a.created < b.created or (a.created == b.created and a.entry < b.entry)
  end)
  for i = 1, surplus do
    local entry = others[i].entry
    redis.call('ZADD', key, '-' .. redis.call('ZSCORE', key, entry), entry)
  end
end
redis.call('ZADD', key, ARGV[2], ARGV[3])
keep(ARGV[2])
local reply = redis.call('ZRANGEBYSCORE', key, '-inf', '-' .. now)
table.insert(reply, 1, 'in')
return reply
`)

/** Arguments: score, entry. What is marked stays so. */
const EXTEND = define(`${KEEP}
local score = tonumber(redis.call('ZSCORE', key, ARGV[3]) or 0)
if math.abs(score) < tonumber(ARGV[2]) then
  redis.call('ZADD', key, (score < 0 and '-' or '') .. ARGV[2], ARGV[3])
end
keep(ARGV[2])
return {}
`)

const UNLIST = define(`
for i = 2, #ARGV do redis.call('ZREM', key, ARGV[i]) end
return {}
`)

const ENTRIES = define(`
return redis.call('ZRANGE', key, 0, -1)
`)
