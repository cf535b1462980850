import { crc32 } from 'node:zlib'
import { isUnreadable } from '../../../lib/errors.ts'
import { decodeRecord, encodeRecord } from '../../../lib/stores/file/format.ts'
import { toRecord as toMySqlRecord } from '../../../lib/stores/mysql/record.ts'
import { toRecord as toPostgresRecord } from '../../../lib/stores/postgres/record.ts'
import { toFields, toRecord as toRedisRecord } from '../../../lib/stores/redis/record.ts'
import { loadRecord } from '../../../lib/transport/store-record.ts'
import type { SessionStore, StoredRecord } from '../../../types/store.ts'
import { NOW, RECORD } from '../../format/samples.ts'
import { readCorpus } from '../corpus.ts'
import type { Target } from '../fuzz.ts'

const KEY = 'k'.repeat(43)
const STORED: StoredRecord = {
  ...{ key: KEY, json: RECORD.json, createdAt: NOW - 60, lastSeenAt: NOW - 9, permanent: true },
  ...{ ownerId: 'ada', description: '{"browser":"Firefox"}', extensions: ':v3', expiresAt: NOW + 60, version: 3 }
}
const TOKENS = [
  '"',
  '{',
  '}',
  '[',
  ']',
  'null',
  'true',
  '-1',
  '1e999',
  '\\',
  '\\ud800',
  '\n',
  '\0',
  ':',
  ':v3',
  ':X',
  ',',
  '{"a":1}',
  KEY
]

/** What somebody has changed in a store is a record of the right types, an unreadable one, or none. */
function checkRecord(load: () => StoredRecord | undefined): string | undefined {
  const store = { load } as unknown as SessionStore
  const record = loadRecord(store, KEY, { id: RECORD.id }, '')
  if (typeof record === 'string' || record instanceof Promise) return undefined
  try {
    if (Object.getPrototypeOf(record.data) !== Object.prototype) return 'its data are no plain object'
  } catch (error) {
    return isUnreadable(error) ? undefined : `reading its data threw ${error}`
  }
  if (!Number.isInteger(record.createdAt) || !Number.isInteger(record.lastSeenAt)) return 'its times are no numbers'
  if (typeof record.permanent !== 'boolean') return 'permanent is no boolean'
  return record.ownerId === undefined || typeof record.ownerId === 'string' ? undefined : 'its owner is no text'
}

/** `decode`: of the file format. What it throws must quote nothing of the file. */
export function fileTarget(name: string, decode: (key: string, text: string) => StoredRecord, mend: boolean): Target {
  const texts = [
    encodeRecord(STORED),
    encodeRecord({ ...STORED, ownerId: undefined, description: undefined, extensions: undefined })
  ]
  const known = new Set(texts)
  const bodies = [...texts.map(bodyOf), ...readCorpus('records')]
  return {
    name,
    seeds: mend ? bodies : [...texts, ...bodies],
    tokens: TOKENS,
    check(text) {
      return checkRecord(() => {
        let record: StoredRecord
        try {
          record = decode(KEY, mend ? withChecksum(text) : text)
        } catch (error) {
          if (!/^it (is|has|was|belongs) [a-z0-9 ,:;]*$/.test((error as Error).message)) throw error
          return undefined
        }
        if (!mend && !known.has(text)) throw new Error('It is a record, and nobody wrote it.')
        return record
      })
    }
  }
}

function bodyOf(text: string): string {
  return text.slice(text.indexOf('\n') + 1)
}

/** Somebody has edited a file by hand, and mended its checksum. */
function withChecksum(body: string): string {
  return `fastify-typed-session 1 ${crc32(body).toString(16).padStart(8, '0')}\n${body}`
}

/** A text with one field of a hash in each line, as `name=value`. */
function redisTarget(): Target {
  const fields = toFields(STORED, NOW + 60)
  const lines = fields.flatMap((name, index) => (index % 2 === 0 ? [`${name}=${fields[index + 1]}`] : []))
  return {
    name: 'redis',
    seeds: [lines.join('\n'), lines.slice(0, 5).join('\n'), ...readCorpus('records')],
    tokens: [...TOKENS, '=', '.', '\nc=', '\ns=', '\ne=', '\no=', '\nn=1', '\n.a=1'],
    check(text) {
      const hash: Record<string, string> = Object.create(null)
      for (const line of text.split('\n')) {
        const [name = '', value = ''] = line.split(/=(.*)/s)
        hash[name] = value
      }
      return checkRecord(() => toRedisRecord(KEY, hash, NOW))
    }
  }
}

/** The column `data` of a row. PostgreSQL lets nothing in but JSON. */
function postgresTarget(): Target {
  const { ownerId = null, description = null, extensions = null, json: _, ...row } = STORED
  return {
    name: 'postgres',
    seeds: ['{"visits":"12","note":"\\"a\\""}', ...readCorpus('records')],
    tokens: TOKENS,
    check(data) {
      return isJson(data)
        ? checkRecord(() => toPostgresRecord({ ...row, ownerId, description, extensions, data }))
        : undefined
    }
  }
}

/** The column `data` of a row of MySQL, which is any text. */
function mySqlTarget(): Target {
  const { ownerId = null, description = null, extensions = null, permanent, json, ...row } = STORED
  return {
    name: 'mysql',
    seeds: [json, ...readCorpus('records')],
    tokens: TOKENS,
    check: (data) =>
      checkRecord(() => toMySqlRecord({ ...row, permanent: Number(permanent), ownerId, description, extensions, data }))
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What stores have on disks and servers that others can write to. */
export function recordTargets(): Target[] {
  return [
    fileTarget('file', decodeRecord, false),
    fileTarget('edited file', decodeRecord, true),
    redisTarget(),
    postgresTarget(),
    mySqlTarget()
  ]
}
