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
import type { Session, SessionData, SessionValues } from './session.ts'

/** Why a guard refused a request. */
export type RefusalReason =
  /** Nobody is logged in: a key is missing. Answered with 401. */
  | 'not-logged-in'
  /** The session is not what the guard asks for. Answered with 403. */
  | 'not-allowed'
  /** The login is too long ago for this route. Answered with 401. */
  | 'not-fresh'

/** What a guard does with a request that it does not let through. */
export interface GuardOptions {
  /**
   * Where a browser that navigates is sent, with 303 after a form and 302 otherwise. Everything else (`fetch`, API clients)
   * gets the error. Default: the error for everybody.
   */
  readonly redirectTo?: string
  /**
   * Where the page that was asked for is kept meanwhile, for `safeNext`: in the session, as its member `next`, in the query of
   * `redirectTo`, or nowhere. Only pages that were asked for by GET are. Default `'session'`, and for a stranger who follows a
   * link of another site to a session with `sameSite: 'strict'` the query: one that begins then would take the place of theirs.
   */
  readonly next?: 'session' | 'query' | false
  /** The status of the error, 400 to 499. Default 401, and 403 for `not-allowed`. */
  readonly status?: number
  /** The message of the error. */
  readonly message?: string
  /**
   * Called before a request is refused. When it sends a reply, that is the answer; otherwise the usual one follows, whatever
   * it returns. For messages (`request.flash`), counters, headers, or an answer of your own, such as `reply.callNotFound()`.
   */
  onRefused?(request: FastifyRequest, reply: FastifyReply, reason: RefusalReason): unknown
}

/** What `loginRequired` takes. */
export interface LoginRequiredOptions<Key extends string> extends GuardOptions {
  /** The member of the session that is there when somebody is logged in. */
  readonly key: Key
}

/** What a guard asks of a request: so little that it fits HTTP/1 and HTTP/2, every route and every type provider. */
export interface GuardRequest {
  readonly id: string
  readonly method: string
  readonly originalUrl: string
  readonly raw: { readonly headers: Readonly<Record<string, string | string[] | undefined>> }
}

/** What a guard asks of a reply. */
export interface GuardReply {
  readonly sent: boolean
  redirect(url: string, statusCode?: number): unknown
}

/** A handler of a guarded route: `Adds` is what the guard found out about the request. */
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
 * Options of a guarded route, with its handler. They cannot be called, whatever the compiler says: the call signature is
 * there because `app.get(path, …)` is first tried with a handler as its second argument, and what the compiler learns then
 * about the type provider and the route is what the handler within keeps.
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
  (
    this: FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider>,
    request: FastifyRequest<RouteGeneric, RawServer, RawRequest, SchemaCompiler, TypeProvider, ContextConfig, Logger>,
    reply: FastifyReply<RouteGeneric, RawServer, RawRequest, RawReply, ContextConfig, SchemaCompiler, TypeProvider>,
    isNoFunction: never
  ): never
}

/**
 * A `preHandler` that lets a request through or answers it, and that types the handler it is given. Use it on a route
 * (`preHandler: guard`), for all routes of a scope (`app.addHook('preHandler', guard)`), or with `handle`, which alone
 * narrows types.
 *
 * It hangs on routes, never on URLs. As a hook it lets `OPTIONS` pass, by which browsers ask without cookies what they may
 * send; the handler of `handle` is called by nobody who does not pass. While the store is down it throws
 * `ERR_SESSION_STORE_UNAVAILABLE`, on every route.
 */
export interface Guard<Adds = unknown> {
  (request: GuardRequest, reply: GuardReply, done: (error?: Error) => void): void

  /**
   * Options of a route with this guard and a handler that sees what the guard found. Other options of the route, its schema
   * for example, go first; a `preHandler` among them runs after the guard.
   *
   * @example
   * ```ts
   * const guard = requireSession('userId')
   * app.get('/me', guard.handle(async (request) => request.session.userId.toFixed()))
   * ```
   */
  handle<
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    RawReply extends RawReplyDefaultExpression<RawServer> = RawReplyDefaultExpression<RawServer>,
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
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
  ): GuardedRoute<RawServer, RawRequest, RawReply, RouteGeneric, ContextConfig, SchemaCompiler, TypeProvider, Logger>
  handle<
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    RawReply extends RawReplyDefaultExpression<RawServer> = RawReplyDefaultExpression<RawServer>,
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
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
      // Not the type parameter: it would be inferred here, and whoever writes `app.get<{ Params: … }>` has the default. The
      // same goes for the schema of what is returned: the handler has been checked against its own.
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

/** What several guards add to a request together. */
export type AddsOfAll<List extends readonly unknown[]> = List extends readonly [infer First, ...infer Others]
  ? First & AddsOfAll<Others>
  : unknown

type KeyOf<Data> = Extract<keyof SessionValues<Data>, string>

/** A request whose session, or another property that holds one, has more than a session has in general. */
type Narrowed<Decorator extends string, Data, More> = { readonly [Name in Decorator]: Session<Data> & More }

/** Members of a session that are there. */
type Present<Data, Key extends KeyOf<Data>> = {
  [Name in Key]: Exclude<SessionValues<Data>[Name], undefined | null | false>
}

/** The guards of one session. */
export interface Guards<Data = SessionData, Decorator extends string = 'session'> {
  /**
   * Lets requests through whose session has all of the keys: not undefined, null or false. For a page that needs them, login
   * or not.
   *
   * @example
   * ```ts
   * app.get('/checkout', requireSession('userId', 'cart').handle(async (request) => Object.keys(request.session.cart)))
   * ```
   */
  requireSession<Key extends KeyOf<Data>>(
    ...keysAndOptions: readonly [...Key[], GuardOptions]
  ): Guard<Narrowed<Decorator, Data, Present<Data, Key>>>
  requireSession<Key extends KeyOf<Data>>(...keys: readonly Key[]): Guard<Narrowed<Decorator, Data, Present<Data, Key>>>
  /**
   * Lets requests through whose session fits. A type predicate narrows; one that is no predicate refuses only. It must answer
   * true or false at once, or the request fails with `ERR_SESSION_VALUE`: a promise would let everybody in.
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
  requireSession(
    predicate: (session: SessionValues<Data>) => boolean,
    options?: GuardOptions
  ): Guard<Narrowed<Decorator, Data, unknown>>

  /**
   * `login_required`: lets requests through whose session has the key that a login sets, and sends browsers to log in.
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
   * The page that a guard sent the browser away from, as a path of this server, and forgets it; `fallback`, `'/'` by default,
   * where there is none. Taken from the session, then from `?next=` of the request. What could lead to another server
   * is never returned (open redirect, CWE-601).
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
