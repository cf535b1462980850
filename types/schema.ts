import type { Method } from './method.ts'

/**
 * What this package needs of a validator: version 1 of [Standard Schema](https://standardschema.dev), which Zod, Valibot, ArkType
 * and others implement.
 *
 * @example
 * ```ts
 * import type { StandardSchema } from 'fastify-typed-session'
 * import { z } from 'zod'
 *
 * const schema: StandardSchema = z.object({ visits: z.number().optional() })
 * ```
 */
export interface StandardSchema {
  /** The properties of the standard. */
  readonly '~standard': {
    /** The version of the standard. */
    readonly version: 1
    /** The library that made the validator. */
    readonly vendor: string
    /** Checks a value. */
    readonly validate: (value: unknown) => SchemaResult | Promise<SchemaResult>
    /** The types of what the validator takes and returns. They exist for the compiler only. */
    readonly types?: { readonly input: unknown; readonly output: unknown } | undefined
  }
}

/** What a validator says about a value. It accepts the value if there are no issues. */
export type SchemaResult =
  | {
      /** What the validator makes of the value. */
      readonly value: unknown
      /** None: the validator accepts the value. */
      readonly issues?: undefined
    }
  | {
      /** What is wrong with the value. */
      readonly issues: readonly {
        readonly message: string
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
      }[]
    }

/** What is wrong with the data of a session. It contains keys of the data, but no values. */
export interface SchemaIssue {
  /** The keys that lead to the value, from the outermost. Empty if the issue is about the data as a whole. */
  readonly path: readonly (string | number)[]
  /** What the validator says. Values of the session in it are replaced by their type. */
  readonly message: string
}

declare const reason: unique symbol

/** Stands for a schema that cannot be that of a session. `Reason` says why. */
export interface NotSessionSchema<Reason extends string> {
  /** Why. It exists for the compiler only. */
  readonly [reason]: Reason
}

type TypesOf<Schema> = Schema extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types>
  : never
type InputOf<Schema> = TypesOf<Schema> extends { readonly input: infer Input } ? Input : never
type OutputOf<Schema> = TypesOf<Schema> extends { readonly output: infer Output } ? Output : never

/**
 * What a schema of a session has to be: one whose output is an object, and of the same type as its input. What a validator returns
 * is not stored, so a default or a transform would have no effect.
 */
export type SessionSchema<Schema> = StandardSchema &
  ([OutputOf<Schema>] extends [object & Exclude<OutputOf<Schema>, readonly unknown[]>]
    ? [InputOf<Schema>] extends [OutputOf<Schema>]
      ? [OutputOf<Schema>] extends [InputOf<Schema>]
        ? unknown
        : NotSessionSchema<'its input differs from its output: leave out transforms, defaults, coercions and brands'>
      : NotSessionSchema<'its input differs from its output: leave out transforms, defaults, coercions and brands'>
    : NotSessionSchema<'it does not describe an object'>)

/**
 * The data that a schema describes, to declare the data of a session with:
 *
 * ```ts
 * import type { InferSession } from 'fastify-typed-session'
 * import { z } from 'zod'
 *
 * const schema = z.object({ userId: z.number(), visits: z.number() }).partial()
 *
 * declare module 'fastify-typed-session' {
 *   interface SessionData extends InferSession<typeof schema> {}
 * }
 * ```
 *
 * It does not compile for a schema whose input and output differ.
 */
export type InferSession<Schema extends SessionSchema<Schema>> = OutputOf<Schema>

/** Turns data of one version into those of the next. It may change its argument, which is a copy. */
export type Migration = Method<[data: Record<string, unknown>], object>

/** Why data are invalid. */
export interface InvalidDataInfo {
  /** The version that the data were written under; undefined if there was no schema. */
  readonly version: number | undefined
  /** The option `schemaVersion`. */
  readonly schemaVersion: number
  /** What the schema says about the data. Empty if it was not asked. */
  readonly issues: readonly SchemaIssue[]
  /** What a migration or the validator has thrown. */
  readonly error: unknown
}

/** The options that concern the schema of the session. */
export interface SchemaOptions {
  /**
   * Describes the data of the session: any validator with [Standard Schema](https://standardschema.dev) version 1 that answers at
   * once, such as one of Zod, Valibot or ArkType. What a request has changed is validated before it is saved, all data together;
   * `set()` also validates its value at once. Data that the schema refuses throw `ERR_SESSION_SCHEMA`, and nothing is saved. What
   * was written under the same `schemaVersion` is not validated when it is read.
   *
   * The validator only judges: what it returns is not stored. A session without data is not validated, nor is what this package
   * itself puts into a session.
   *
   * A validator that answers with a promise is refused with `ERR_SESSION_SCHEMA_ASYNC`, and anything but a validator with
   * `ERR_SESSION_OPTION_INVALID`. Default: none, and nothing is validated.
   *
   * @example
   * ```ts
   * import { z } from 'zod'
   *
   * await app.register(session, { secret, schema: z.object({ visits: z.number().optional() }) })
   * ```
   */
  schema?: StandardSchema | undefined
  /**
   * The version of the schema: a whole number from 1 to 999 999 999; otherwise `ERR_SESSION_OPTION_INVALID` at start. Add 1 when
   * sessions from before would not fit any more. Data of an older version pass through the migrations and the schema when they
   * are read. Data of a newer version, from a server that is deployed already, are taken if the schema accepts them. It needs
   * `schema`. Default 1.
   *
   * @example
   * ```ts
   * import { z } from 'zod'
   *
   * await app.register(session, {
   *   secret,
   *   schema: z.object({ fullName: z.string().optional() }),
   *   schemaVersion: 2,
   *   migrations: { 2: ({ name, ...others }) => ({ ...others, fullName: name }) }
   * })
   * ```
   */
  schemaVersion?: number | undefined
  /**
   * How data of an older version become those of a newer one: under 3 the function that turns data of version 2 into those of
   * version 3. Data from before there was a schema are of version 1. A function gets and returns plain data, at once. Drop the
   * functions for versions that no session has any more, the oldest first: older data than that are invalid. Without any, older
   * data go to the schema as they are. A gap is refused with `ERR_SESSION_OPTION_INVALID` at start. It needs `schema`.
   *
   * @example
   * ```ts
   * import { z } from 'zod'
   *
   * await app.register(session, {
   *   secret,
   *   schema: z.object({ visits: z.number().optional() }),
   *   schemaVersion: 3,
   *   migrations: { 2: (data) => data, 3: ({ visits, ...others }) => ({ ...others, visits: Number(visits) }) }
   * })
   * ```
   */
  migrations?: Readonly<Record<number, Migration>> | undefined
  /**
   * What to do with data of another version if a migration throws, or if the schema refuses them. `'anonymous'`: the session is
   * empty, with the reason `invalid-data`. Its cookie and its record stay as they are, until the request writes to the session or
   * ends it. Or a function that returns data to go on with, or null for an empty session. What it returns has to fit the schema.
   * It needs `schema`. Default `'anonymous'`.
   *
   * @example
   * ```ts
   * import { z } from 'zod'
   *
   * await app.register(session, {
   *   secret,
   *   schema: z.object({ userId: z.number().optional() }),
   *   onInvalidData: ({ userId }) => (typeof userId === 'number' ? { userId } : null)
   * })
   * ```
   */
  onInvalidData?:
    | 'anonymous'
    | Method<[data: Record<string, unknown>, info: InvalidDataInfo], object | null>
    | undefined
}
