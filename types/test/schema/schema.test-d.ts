import { Type, type TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { type } from 'arktype'
import fastify from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import session, {
  guardsFor,
  type InferSession,
  isSessionError,
  requireSession,
  type SchemaIssue,
  type Session,
  type StandardSchema
} from 'fastify-typed-session'
import { sessionCookie } from 'fastify-typed-session/testing'
import * as v from 'valibot'
import { z } from 'zod'
import { same, typed } from '../expect.ts'

const schema = z.object({
  userId: z.number().optional(),
  role: z.enum(['admin', 'reader']).optional(),
  cart: z.record(z.string(), z.number()).optional(),
  since: z.date().optional()
})

declare module 'fastify-typed-session' {
  interface SessionData extends InferSession<typeof schema> {}
}

const app = fastify()
const secret = process.env.SESSION_SECRET
await app.register(session, {
  secret,
  schema,
  schemaVersion: 3,
  migrations: { 2: ({ name, ...others }) => ({ ...others, name }), 3: (data: { visits: string }) => data },
  onInvalidData(data, info) {
    typed<Record<string, unknown>>(data)
    same<typeof info.version, number | undefined>(true)
    typed<readonly SchemaIssue[]>(info.issues)
    return info.error === undefined ? data : null
  }
})
await app.register(session, { secret, schema: v.object({ name: v.string() }), onInvalidData: 'anonymous' })
await app.register(session, { secret, schema: type({ name: 'string' }) })
await app.register(session, { secret, schema: { parse: () => true } }) //! 2769
await app.register(session, { secret, schema, migrations: { 2: () => 1 } }) //! 2769

// The type of the session follows from the schema.
declare const mine: Session
same<typeof mine.userId, number | undefined>(true)
same<typeof mine.role, 'admin' | 'reader' | undefined>(true)
mine.userId = 'ada' //! 2322
mine.since = new Date() //! 2741|2322
mine.other //! 2551|2339
void sessionCookie(app, { userId: 7 }, { schemaVersion: 1 })
void sessionCookie(app, { userId: '7' }) //! 2322

// Each library.
const inValibot = v.object({ a: v.optional(v.number()), b: v.array(v.string()) })
const inArkType = type({ 'a?': 'number', b: 'string[]' })
same<InferSession<typeof inValibot>, { a?: number | undefined; b: string[] }>(true)
typed<{ a?: number; b: string[] }>({} as InferSession<typeof inArkType>)

/** TypeBox has no Standard Schema of its own; an adapter is a few lines. */
interface Adapted<Data> extends StandardSchema {
  readonly '~standard': StandardSchema['~standard'] & {
    readonly types?: { readonly input: Data; readonly output: Data }
  }
}
declare const inTypeBox: Adapted<{ a?: number; b: string[] }>
same<InferSession<typeof inTypeBox>, { a?: number; b: string[] }>(true)

// What a validator returns is not stored, so it must not differ.
const dates = z.object({ at: z.string().transform((text) => new Date(text)) })
const defaults = z.object({ visits: z.number().default(0) })
const coerced = z.object({ visits: z.coerce.number() })
const piped = v.object({ visits: v.pipe(v.string(), v.transform(Number)) })
const widened = z.object({ at: z.string().transform((text): string | number => text) })
const morphed = type({ at: 'string.date.parse' })
const text = z.string()
const list = z.array(z.string())
export type List = InferSession<typeof list> //! 2344
export type Dates = InferSession<typeof dates> //! 2344
export type Defaults = InferSession<typeof defaults> //! 2344
export type Coerced = InferSession<typeof coerced> //! 2344
export type Piped = InferSession<typeof piped> //! 2344
export type Widened = InferSession<typeof widened> //! 2344
export type Morphed = InferSession<typeof morphed> //! 2344
export type Text = InferSession<typeof text> //! 2344

// A guard narrows the session to what its schema describes.
app.get(
  '/admin',
  requireSession(z.object({ userId: z.number(), role: z.literal('admin') })).handle(async (request) => {
    same<typeof request.session.role, 'admin'>(true)
    same<typeof request.session.cart, Record<string, number> | undefined>(true)
    return request.session.userId.toFixed()
  })
)
app.get(
  '/valibot',
  requireSession(v.object({ userId: v.number() }), { status: 401 }).handle(async ({ session }) =>
    session.userId.toFixed()
  )
)
app.get(
  '/arktype',
  requireSession(type({ userId: 'number' })).handle(async ({ session }) => session.userId.toFixed())
)
app.get(
  '/no-cart',
  requireSession(type({ userId: 'number' })).handle(async ({ session }) => session.cart.tea) //! 18048
)
requireSession(dates) //! 2345|2769
requireSession(morphed) //! 2345|2769
requireSession(z.object({ userId: z.number() }), { redirect: '/' }) //! 2345|2769

// With type providers.
const user = requireSession(z.object({ userId: z.number() }))
fastify()
  .withTypeProvider<ZodTypeProvider>()
  .get(
    '/:id',
    user.handle({ schema: { params: z.object({ id: z.coerce.number() }) } }, async ({ session, params }) => {
      same<typeof params.id, number>(true)
      return session.userId.toFixed()
    })
  )
fastify()
  .withTypeProvider<TypeBoxTypeProvider>()
  .get(
    '/:id',
    user.handle({ schema: { params: Type.Object({ id: Type.Number() }) } }, async ({ session, params }) => {
      same<typeof params.id, number>(true)
      return session.userId.toFixed()
    })
  )

// The guards of a second session.
const admins = guardsFor<{ level: number }, 'adminSession'>('adminSession')
app.get('/level', { preHandler: admins.requireSession(z.object({ level: z.number() })) }, async () => '')

declare const error: unknown
if (isSessionError(error) && error.code === 'ERR_SESSION_SCHEMA')
  typed<readonly SchemaIssue[] | undefined>(error.issues)
