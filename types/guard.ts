import type {
  ContextConfigDefault,
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchema,
  FastifyTypeProvider,
  FastifyTypeProviderDefault,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerBase,
  RawServerDefault,
  RouteGenericInterface,
  RouteHandlerMethod,
  RouteShorthandOptions,
  RouteShorthandOptionsWithHandler
} from 'fastify'
import type { Method } from './method.ts'
import type { Problem } from './problem.ts'
import type { InferSession, SessionSchema } from './schema.ts'
import type { Session, SessionData, SessionValues } from './session.ts'

/** Why a guard refused a request. */
export type RefusalReason =
  /** A key that the guard requires has no value; for `loginRequired`, nobody is logged in. The answer is 401. */
  | 'not-logged-in'
  /** The session does not have what the guard demands. The answer is 403. */
  | 'not-allowed'
  /** The login is too long ago for this route. The answer is 401. */
  | 'not-fresh'

/**
 * How a guard answers the requests that it refuses. A wrong option throws `ERR_SESSION_OPTION_INVALID` or
 * `ERR_SESSION_OPTION_UNKNOWN` when the guard is made.
 */
export interface GuardOptions {
  /**
   * The page to which the guard redirects browsers that navigate: a path of your routes, or an `http` or `https` URL. The
   * status is 303 after a form and 302 otherwise. Other clients, such as `fetch`, get the error. A redirect that would never
   * end is `ERR_SESSION_REDIRECT_LOOP`. Default: every client gets the error.
   *
   * A function chooses the page for each request, by its tenant or language for example. It returns a path of your routes, and
   * no promise: anything else fails the request with `ERR_SESSION_VALUE`. No URL: a host from a request could be that of an
   * attacker (open redirect, CWE-601).
   *
   * @example
   * ```ts
   * const user = loginRequired({ key: 'userId', redirectTo: '/login' })
   * ```
   *
   * @example
   * ```ts
   * const either = loginRequired({ key: 'userId', redirectTo: ({ url }) => (url.startsWith('/de/') ? '/de/login' : '/login') })
   * ```
   */
  readonly redirectTo?: string | Method<[request: FastifyRequest], string> | undefined
  /**
   * Where the guard keeps the page that the browser asked for, until `safeNext()` returns it: in the session, as its member
   * `next`; in the query of `redirectTo`, as `next`; or nowhere. It keeps only pages that were asked for by GET, and in the
   * session only those that somebody wants to see: none that is fetched in advance, or for a frame. Default:
   * `'query'` with a store, where a session for each stranger would be a record for each stranger; `'session'` without one.
   *
   * With `'query'` the login form has to be sent to the URL of its page, with the query: leave out its `action`.
   *
   * With `sameSite: 'strict'` a link from another site arrives without the session of the browser. A session that began there
   * would replace that session, so the guard uses the query then.
   *
   * @example
   * ```ts
   * const user = loginRequired({ key: 'userId', redirectTo: '/login', next: 'query' })
   * ```
   */
  readonly next?: 'session' | 'query' | false | undefined
  /**
   * The HTTP status of the error, from 400 to 499. Default 403 for `not-allowed`, and 401 otherwise.
   *
   * @example
   * ```ts
   * const cart = requireSession('cart', { status: 404 })
   * ```
   */
  readonly status?: number | undefined
  /**
   * The message of the error. Default: a sentence such as `Log in first.`
   *
   * @example
   * ```ts
   * const cart = requireSession('cart', { message: 'Put something into your cart first.' })
   * ```
   */
  readonly message?: string | undefined
  /**
   * The guard calls it before it refuses a request, and waits for its promise. If it sends a reply, that is the answer;
   * otherwise the usual answer follows, whatever the function returns. If it throws, the request fails with that error. Use it
   * for messages (`request.flash`), counters, headers, or an answer of your own. Default: none.
   *
   * @example
   * ```ts
   * const hidden = requireSession('userId', { onRefused: (_request, reply) => reply.callNotFound() })
   * ```
   */
  readonly onRefused?:
    | Method<[request: FastifyRequest, reply: FastifyReply, reason: RefusalReason], unknown>
    | undefined
}

/** The options of `loginRequired`. */
export interface LoginRequiredOptions<Key extends string> extends GuardOptions {
  /**
   * The member of the session that a login sets.
   *
   * @example
   * ```ts
   * const user = loginRequired({ key: 'userId' })
   * ```
   */
  readonly key: Key
}

/** The part of a request that a guard reads. HTTP/1 and HTTP/2 requests of every route and every type provider have it. */
export interface GuardRequest {
  /** The id that Fastify gave the request. */
  readonly id: string
  /** The HTTP method. */
  readonly method: string
  /** The path with the query, as this server got it. */
  readonly originalUrl: string
  /** The host and the port to which the client sent the request. */
  readonly host: string
  /** Whether no route matches the request, so that the not-found handler answers it. */
  readonly is404: boolean
  /** The request of Node.js. */
  readonly raw: {
    /** The headers of the request, with names in small letters. */
    readonly headers: Readonly<Record<string, string | string[] | undefined>>
  }
}

/** The part of a request that `sameOriginOnly()` reads. */
export interface OriginRequest {
  /** The HTTP method. */
  readonly method: string
  /** The host and the port to which the client sent the request. */
  readonly host: string
  /** The route that Fastify has chosen. */
  readonly routeOptions: {
    /** The methods of the route. Undefined if no route matches. */
    readonly method?: string | readonly string[] | undefined
  }
  /** The request of Node.js. */
  readonly raw: {
    /** The headers of the request, with names in small letters. */
    readonly headers: Readonly<Record<string, string | string[] | undefined>>
  }
}

/** The options of `sameOriginOnly()`. */
export interface SameOriginOptions {
  /**
   * Whether pages of other hosts of your site pass, such as `www.example.com` for `app.example.com`. Needs a browser that sends
   * `Sec-Fetch-Site`. Default `false`.
   *
   * @example
   * ```ts
   * app.addHook('onRequest', sameOriginOnly({ allowSameSite: true }))
   * ```
   */
  readonly allowSameSite?: boolean | undefined
}

/** An `onRequest` or `preHandler` hook that `sameOriginOnly()` returns. Fastify calls it. */
export type SameOriginHook = (request: OriginRequest, reply: unknown, done: (error?: Error) => void) => void

/** The part of a reply that a guard uses. */
export interface GuardReply {
  /** Whether the reply has been sent. */
  readonly sent: boolean
  /** Redirects the client. */
  redirect(url: string, statusCode?: number): unknown
}

/** A handler of a guarded route. `Adds` is the type that the guard adds to the request. */
export type GuardedHandler<
  Adds,
  RawServer extends RawServerBase,
  RawRequest extends RawRequestDefaultExpression<RawServer>,
  RawReply extends RawReplyDefaultExpression<RawServer>,
  RouteGeneric extends RouteGenericInterface,
  ContextConfig,
  SchemaCompiler extends FastifySchema,
  TypeProvider extends FastifyTypeProvider,
  Logger extends FastifyBaseLogger
> = (
  this: FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider>,
  request: FastifyRequest<RouteGeneric, RawServer, RawRequest, SchemaCompiler, TypeProvider, ContextConfig, Logger> &
    Adds,
  reply: FastifyReply<RouteGeneric, RawServer, RawRequest, RawReply, ContextConfig, SchemaCompiler, TypeProvider>
) => ReturnType<
  RouteHandlerMethod<RawServer, RawRequest, RawReply, RouteGeneric, ContextConfig, SchemaCompiler, TypeProvider, Logger>
>

/**
 * The options of a guarded route, with its handler: what `handle` returns if it gets options. It is not a function, and calling
 * it does not compile. The call signature is there for the compiler alone: it tries `app.get(path, …)` with a handler as second argument
 * first, and the types that it infers there are passed to the handler.
 */
export interface GuardedRoute<
  RawServer extends RawServerBase,
  RawRequest extends RawRequestDefaultExpression<RawServer>,
  RawReply extends RawReplyDefaultExpression<RawServer>,
  RouteGeneric extends RouteGenericInterface,
  ContextConfig,
  SchemaCompiler extends FastifySchema,
  TypeProvider extends FastifyTypeProvider,
  Logger extends FastifyBaseLogger
> extends RouteShorthandOptionsWithHandler<
    RawServer,
    RawRequest,
    RawReply,
    RouteGeneric,
    ContextConfig,
    SchemaCompiler,
    TypeProvider,
    Logger
  > {
  /** Not for calls: it never compiles. */
  (
    this: FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider>,
    request: FastifyRequest<RouteGeneric, RawServer, RawRequest, SchemaCompiler, TypeProvider, ContextConfig, Logger>,
    reply: FastifyReply<RouteGeneric, RawServer, RawRequest, RawReply, ContextConfig, SchemaCompiler, TypeProvider>,
    isNoFunction: never
  ): never
}

/**
 * A `preHandler` that lets a request through or answers it, and that narrows the types of the handler behind it. Use it
 *
 * - around the handler of a route: `app.get(path, options, guard.handle(handler))`, which alone narrows types,
 * - on a route: `app.get(path, { preHandler: guard }, handler)`,
 * - for all routes of a scope: `app.addHook('preHandler', guard)`.
 *
 * A guard belongs to routes and never looks at URLs, so that no spelling of an address gets around it. It checks every method,
 * `OPTIONS` included. The one exception: it lets a CORS preflight request that no route matches pass to the not-found handler.
 *
 * It fails the request with `ERR_SESSION_STORE_UNAVAILABLE` while the store is down, on every route, and with
 * `ERR_SESSION_DISABLED` on a route with `config: { session: false }`.
 *
 * @example
 * ```ts
 * import type { Guard } from 'fastify-typed-session'
 *
 * const guard: Guard = loginRequired({ key: 'userId', redirectTo: '/login' })
 * app.register(async (scope) => {
 *   scope.addHook('preHandler', guard)
 *   scope.get('/orders', async () => 'your orders')
 * })
 * ```
 */
export interface Guard<Adds = unknown> {
  /** The `preHandler`. Fastify calls it. */
  (request: GuardRequest, reply: GuardReply, done: (error?: Error) => void): void

  /**
   * Returns a handler that the guard checks first, and whose request has the narrowed types. It stands where any handler of a
   * route stands. The hooks of the route run before the guard.
   *
   * @example
   * ```ts
   * const guard = requireSession('userId')
   * app.get('/me', guard.handle(async (request) => request.session.userId.toFixed()))
   * app.get('/me/log', { logLevel: 'warn' }, guard.handle(async (request) => request.session.userId.toFixed()))
   * ```
   *
   * Without a schema, the generic of a route can stand here.
   *
   * @example
   * ```ts
   * const guard = requireSession('userId')
   * app.get('/page', guard.handle<{ Querystring: { page?: string } }>(async ({ query }) => query.page ?? '1'))
   * ```
   */
  handle<
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    RawReply extends RawReplyDefaultExpression<RawServer> = RawReplyDefaultExpression<RawServer>,
    ContextConfig = ContextConfigDefault,
    const SchemaCompiler extends FastifySchema = FastifySchema,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    Logger extends FastifyBaseLogger = FastifyBaseLogger
  >(
    handler: GuardedHandler<
      Adds,
      RawServer,
      RawRequest,
      RawReply,
      RouteGeneric,
      ContextConfig,
      SchemaCompiler,
      TypeProvider,
      Logger
    >
  ): RouteHandlerMethod<
    RawServer,
    RawRequest,
    RawReply,
    RouteGeneric,
    ContextConfig,
    SchemaCompiler,
    TypeProvider,
    Logger
  > &
    // It has no options. `@fastify/websocket` adds a way to call `app.get(path, …)` that takes options where the handler stands,
    // and the compiler passes the types that it finds in the first way to the handler.
    RouteShorthandOptions<
      RawServer,
      RawRequest,
      RawReply,
      RouteGeneric,
      ContextConfig,
      SchemaCompiler,
      TypeProvider,
      Logger
    >
  /**
   * Returns options of a route in which the guard is the first `preHandler`, with the handler. Use it where the `preHandler`
   * hooks of the route must run after the guard, and on a route of `@fastify/websocket`, where the guard must answer before the
   * socket opens.
   *
   * @example
   * ```ts
   * const guard = requireSession('userId')
   * const preHandler = async () => {} // runs after the guard
   * app.get('/me', guard.handle({ preHandler }, async (request) => request.session.userId.toFixed()))
   * ```
   */
  handle<
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    RawReply extends RawReplyDefaultExpression<RawServer> = RawReplyDefaultExpression<RawServer>,
    ContextConfig = ContextConfigDefault,
    const SchemaCompiler extends FastifySchema = FastifySchema,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    Logger extends FastifyBaseLogger = FastifyBaseLogger
  >(
    options: RouteShorthandOptions<
      RawServer,
      RawRequest,
      RawReply,
      RouteGeneric,
      // Not the type parameter: the compiler would infer it here, while `app.get<{ Params: … }>` has the default. The same
      // holds for the schema of the returned route: the handler has been checked against its own schema.
      ContextConfigDefault,
      SchemaCompiler,
      TypeProvider,
      Logger
    >,
    handler: GuardedHandler<
      Adds,
      RawServer,
      RawRequest,
      RawReply,
      RouteGeneric,
      ContextConfig,
      SchemaCompiler,
      TypeProvider,
      Logger
    >
  ): GuardedRoute<RawServer, RawRequest, RawReply, RouteGeneric, ContextConfig, FastifySchema, TypeProvider, Logger>
}

/** What several guards together know of a request, as `and()` returns it. */
export type AddsOfAll<List extends readonly unknown[]> = List extends readonly [infer First, ...infer Others]
  ? First & AddsOfAll<Others>
  : unknown

type KeyOf<Data> = Extract<keyof SessionValues<Data>, string>

/** What `requireSession` is to say of an argument that none of its other forms takes. */
type WrongArgument<Data, Given> = Given extends string
  ? Given extends KeyOf<Data>
    ? unknown
    : Problem<`SessionData declares no key '${Given}'`>
  : Given extends (...values: never[]) => Promise<unknown>
    ? Problem<'A predicate returns true or false, and no promise'>
    : Given extends (...values: never[]) => unknown
      ? Problem<'A predicate returns true or false'>
      : Exclude<keyof Given, keyof GuardOptions> extends never
        ? Given extends GuardOptions
          ? unknown
          : Problem<'An option of the guard has a value of another type'>
        : Problem<`A guard has no option '${Exclude<keyof Given, keyof GuardOptions> & string}'`>

/** A request whose session, under the name of its decorator, has more than a session has in general. */
type Narrowed<Decorator extends string, Data, More> = { readonly [Name in Decorator]: Session<Data> & More }

/** Members of a session that have a value. */
type Present<Data, Key extends KeyOf<Data>> = {
  [Name in Key]: Exclude<SessionValues<Data>[Name], undefined | null | false>
}

/** The guards of one session. The package exports those of `request.session`; `guardsFor()` returns those of any other. */
export interface Guards<Data = SessionData, Decorator extends string = 'session'> {
  /**
   * Lets a request through if a schema accepts the data of its session, and narrows the session to what the schema describes. The
   * schema is any validator with [Standard Schema](https://standardschema.dev) version 1 that answers at once. It answers 403 with
   * `ERR_SESSION_FORBIDDEN` otherwise.
   *
   * Throws `ERR_SESSION_SCHEMA_ASYNC` for a schema that answers with a promise; some show it only when a request comes, which then
   * fails. A schema whose input and output differ does not compile.
   *
   * @example
   * ```ts
   * import { z } from 'zod'
   *
   * const admin = requireSession(z.object({ userId: z.number(), role: z.literal('admin') }))
   * app.get('/admin', admin.handle(async ({ session }) => `${session.userId} is an ${session.role}`))
   * ```
   */
  requireSession<Schema extends SessionSchema<Schema>>(
    schema: Schema,
    options?: GuardOptions
  ): Guard<Narrowed<Decorator, Data, InferSession<Schema>>>
  /**
   * Lets requests through whose session has a value for all of the keys; `undefined`, `null` and `false` do not count. Use it
   * for a page that needs these data, with a login or without. It answers 401 with `ERR_SESSION_LOGIN_REQUIRED` otherwise.
   *
   * Throws `ERR_SESSION_RESERVED_KEY` for the name of a member that every session has, and `ERR_SESSION_OPTION_INVALID` without
   * keys or for wrong options.
   *
   * @example
   * ```ts
   * const buyer = requireSession('userId', 'cart', { redirectTo: '/login' })
   * app.get('/checkout', buyer.handle(async (request) => Object.keys(request.session.cart)))
   * ```
   */
  requireSession<Key extends KeyOf<Data>>(
    ...keysAndOptions: readonly [...Key[], GuardOptions]
  ): Guard<Narrowed<Decorator, Data, Present<Data, Key>>>
  /**
   * Lets requests through whose session has a value for all of the keys, and answers 401 otherwise.
   *
   * @example
   * ```ts
   * app.get('/cart', requireSession('cart').handle(async (request) => Object.keys(request.session.cart)))
   * ```
   */
  requireSession<Key extends KeyOf<Data>>(...keys: readonly Key[]): Guard<Narrowed<Decorator, Data, Present<Data, Key>>>
  /**
   * Lets a request through if the predicate returns `true` for its session. A type predicate also narrows the type of the
   * session. It answers 403 with `ERR_SESSION_FORBIDDEN` otherwise.
   *
   * The predicate returns `true` or `false`, and no promise: with anything else the request fails with `ERR_SESSION_VALUE`.
   *
   * @example
   * ```ts
   * const admin = requireSession((session): session is { role: 'admin' } => session.role === 'admin')
   * app.get('/admin', admin.handle(async (request) => request.session.role)) // 'admin'
   * ```
   */
  requireSession<More extends SessionValues<Data>>(
    predicate: (session: SessionValues<Data>) => session is More,
    options?: GuardOptions
  ): Guard<Narrowed<Decorator, Data, More>>
  /**
   * Lets a request through if the predicate returns `true` for its session, and answers 403 otherwise. It does not narrow types.
   *
   * @example
   * ```ts
   * const regular = requireSession(({ visits = 0 }) => visits > 2, { message: 'Come more often.' })
   * ```
   */
  requireSession(
    predicate: (session: SessionValues<Data>) => boolean,
    options?: GuardOptions
  ): Guard<Narrowed<Decorator, Data, unknown>>
  /** Not for calls: it never compiles, and tells the mistake. */
  requireSession<const Given extends readonly unknown[]>(
    ...given: { [Index in keyof Given]: Given[Index] & WrongArgument<Data, Given[Index]> } & readonly [
      never,
      ...unknown[]
    ]
  ): never

  /**
   * Lets requests through whose session has the member that a login sets, as Flask-Login's `login_required` does. It redirects
   * browsers to `redirectTo`, and answers 401 with `ERR_SESSION_LOGIN_REQUIRED` otherwise.
   *
   * Throws `ERR_SESSION_RESERVED_KEY` for the name of a member that every session has, and `ERR_SESSION_OPTION_INVALID` for
   * wrong options.
   *
   * @example
   * ```ts
   * const user = loginRequired({ key: 'userId', redirectTo: '/login' })
   * app.get('/me', user.handle(async (request) => request.session.userId.toFixed()))
   * ```
   */
  loginRequired<Key extends KeyOf<Data>>(
    options: LoginRequiredOptions<Key>
  ): Guard<Narrowed<Decorator, Data, Present<Data, Key>>>

  /**
   * Returns the page that the browser asked for before a guard redirected it, as a path of this server, and forgets it. Call it
   * after a login. It looks at `?next=` of the request first, then in the session, and returns `fallback` when there is no such
   * page. Default `'/'`; the fallback is not checked. A page that logs out, such as `/logout`, is no such page. Behind a proxy
   * that takes off the start of the path, it puts that in front: see the option `basePath` of the session.
   *
   * It never returns an address that could lead to another server (open redirect, CWE-601; OWASP ASVS 3.7.2). Throws
   * `ERR_SESSION_NOT_REGISTERED` for a request without this session.
   *
   * @example
   * ```ts
   * app.post('/login', async (request, reply) => {
   *   await request.session.renew()
   *   request.session.userId = 7
   *   return reply.redirect(safeNext(request), 303)
   * })
   * ```
   */
  safeNext(request: object, fallback?: string): string
}
