import type { InvalidDataInfo, SchemaIssue, SchemaOptions, StandardSchema } from '../../types/schema.ts'
import { OWN_KEYS, splitData } from '../data/own-keys.ts'
import { assertStorable, parseStored, toJson } from '../data/storable.ts'
import type { Extensions } from '../format/extensions.ts'
import { readSchemaStamp, withoutJudgement, withSchemaVersion } from '../format/extensions.ts'
import { judge, judgeToSave } from './judge.ts'
import type { Migrations } from './migrations.ts'
import { dataOf } from './migrations.ts'
import { schemaError } from './schema-error.ts'

type Data = Record<string, unknown>

/** The version of data from before there was a schema. */
const FIRST = 1

/** What a record has of its data. */
export interface Versioned {
  readonly json: string
  readonly extensions: Extensions
}

/** Data as a server with this schema can use them. */
export interface AcceptedData extends Versioned {
  readonly kind: 'accepted'
  /** Whether they are of a newer version, and so stay as they are. */
  readonly isNewer: boolean
  /** Whether to save them, so that later requests can take them as they are. */
  readonly needsSave: boolean
}

/** Data that a server with this schema cannot use. */
export interface InvalidData {
  readonly kind: 'invalid'
  readonly info: InvalidDataInfo
}

type Judge = typeof judge
type Refusal = Pick<InvalidDataInfo, 'issues' | 'error'>

/** The function of the option `onInvalidData`; undefined for `'anonymous'`. */
export type OnInvalid = Exclude<SchemaOptions['onInvalidData'], string>

/** What the schema of a session says of data that are to be written, or that were written under another version of it. */
export class DataSchema {
  /** The option `schemaVersion`. */
  readonly version: number
  /** The extensions of a new session. */
  readonly extensions: Extensions
  readonly #schema: StandardSchema
  readonly #migrations: Migrations
  readonly #onInvalid: OnInvalid

  constructor(schema: StandardSchema, version: number, migrations: Migrations, onInvalid: OnInvalid) {
    this.version = version
    this.extensions = withSchemaVersion(undefined, version)
    this.#schema = schema
    this.#migrations = migrations
    this.#onInvalid = onInvalid
  }

  /** Throws `ERR_SESSION_SCHEMA` if the schema refuses data that are to be written. */
  assert(data: object): void {
    const issues = this.#issuesOf(data, judgeToSave)
    if (issues !== undefined) throw schemaError(issues)
  }

  /**
   * The same for one member: only issues within it count, if it has some without the `others` as well as among them. All data are
   * judged when they are saved.
   */
  assertMember(key: string, value: unknown, others: object): void {
    if (OWN_KEYS.includes(key) || this.#issuesWithin(key, { [key]: value }).length === 0) return
    // A rule between members can have been broken by the lack of the others alone.
    const issues = this.#issuesWithin(key, { ...others, [key]: value })
    if (issues.length > 0) throw schemaError(issues)
  }

  /** Whether data with these extensions were judged under the present version, and can be taken as they are. */
  isCurrent(extensions: Extensions): boolean {
    if (extensions === this.extensions) return true
    const stamp = readSchemaStamp(extensions)
    return stamp?.version === this.version && stamp.isJudged
  }

  /** Returns other data as data of the present version, newer ones as they are. Throws `ERR_SESSION_UNREADABLE`. */
  open({ json, extensions }: Versioned): AcceptedData | InvalidData {
    const version = readSchemaStamp(extensions)?.version
    const isNewer = (version ?? FIRST) > this.version
    const present = withSchemaVersion(extensions, this.version)
    const found = this.#migrate(json, version ?? FIRST)
    if (typeof found === 'string') {
      return { kind: 'accepted', json: found, extensions: isNewer ? extensions : present, isNewer, needsSave: !isNewer }
    }
    const info = { version, schemaVersion: this.version, ...found }
    const mended = this.#mend(json, info)
    if (mended === undefined) return { kind: 'invalid', info }
    return { kind: 'accepted', json: mended, extensions: present, isNewer: false, needsSave: !isNewer }
  }

  /** Returns any data as this server would write them after a change to them; undefined if they are invalid. */
  present(data: Versioned): Versioned | undefined {
    if (this.isCurrent(data.extensions)) return data
    const opened = this.open(data)
    if (opened.kind === 'invalid') return undefined
    const { json, extensions, isNewer } = opened
    return { json, extensions: isNewer ? withoutJudgement(extensions) : extensions }
  }

  #migrate(json: string, from: number): string | Refusal {
    const { own, theirs } = splitData(parseStored(json))
    try {
      if (from >= this.version) {
        const issues = this.#issuesOf(theirs, judge)
        return issues === undefined ? json : { issues, error: undefined }
      }
      if (this.#migrations.canBegin(from)) return this.#accept(this.#migrations.run(theirs, from), own)
      return { issues: [], error: undefined }
    } catch (error) {
      return { issues: [], error }
    }
  }

  /** Returns data as JSON, with what this package has put into them; or why the schema refuses them. */
  #accept(data: Data, own: object): string | Refusal {
    assertStorable({ data })
    const issues = this.#issuesOf(data, judge)
    return issues === undefined ? toJson({ ...data, ...own }) : { issues, error: undefined }
  }

  #mend(json: string, info: InvalidDataInfo): string | undefined {
    const { own, theirs } = splitData(parseStored(json))
    try {
      const mended = this.#onInvalid?.(theirs, info)
      const found = mended ? this.#accept(dataOf(mended), own) : undefined
      return typeof found === 'string' ? found : undefined
    } catch {
      return undefined
    }
  }

  #issuesWithin(key: string, data: object): readonly SchemaIssue[] {
    return this.#issuesOf(data, judgeToSave)?.filter(({ path }) => String(path[0]) === key) ?? []
  }

  /** An empty session is none, so that nothing can be wrong with it. */
  #issuesOf(data: object, judge: Judge): readonly SchemaIssue[] | undefined {
    const { theirs } = splitData(data)
    for (const key of Object.keys(theirs)) if (theirs[key] === undefined) delete theirs[key]
    return Object.keys(theirs).length === 0 ? undefined : judge(this.#schema, theirs)
  }
}
