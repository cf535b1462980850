import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { OriginRequest } from '../../types/guard.ts'
import type { MaybePromise } from '../../types/store.ts'

/** What guards ask a login kit about the Authorization header of a request. */
export interface TokenGate {
  /** Whether that header says who sends the request, and not the session. Asks the application, unless that is known. */
  decides(request: object): MaybePromise<boolean>
  /** The same, as far as it is known. */
  hasDecided(request: object): boolean
  /** Returns the WWW-Authenticate header for a 401 (RFC 9110, section 11.6.1). */
  challengeOf(request: object): string
}

/** A login kit of a scope. `gate`: undefined if the kit knows sessions only. */
interface LoginKit {
  readonly decorator: string
  readonly gate: TokenGate | undefined
}

const kKits = Symbol.for('fastify-typed-session login kits of a scope')

/** Lets guards know of a login kit. `decorator`: the session of the kit. */
export function provideTokenGate(app: FastifyInstance, decorator: string, gate: TokenGate | undefined): void {
  const scope = app as FastifyInstance & { [kKits]?: readonly LoginKit[] }
  scope[kKits] = [...ownKits(app), { decorator, gate }]
}

/** Returns what a login kit knows of the tokens of a request. `decorator`: the session of the kit. */
export function tokenGateOf(request: object, decorator: string): TokenGate | undefined {
  return kitsOf(request).find((kit) => kit.decorator === decorator)?.gate
}

/** What a browser sends by itself to a server whose password it knows, also with a request that another site has caused. */
const AMBIENT = /^(basic|digest|negotiate|ntlm)\b/i

/**
 * Whether no page can have caused a request without the token that decides who sends it, so that there is no session for a page
 * of another site to use. Asks the application. With several login kits it has to be so for each of them.
 */
export function isSentByToken(request: OriginRequest): MaybePromise<boolean> {
  const authorization = authorizationOf(request)
  if (authorization === undefined || authorization !== sentAuthorization(request)) return false
  if (AMBIENT.test(authorization)) return false
  const gates = kitsOf(request).map(({ gate }) => gate)
  if (gates.length === 0 || gates.includes(undefined)) return false
  return decideAll(request, gates as readonly TokenGate[])
}

/** Returns the Authorization header of a request, which a hook may have set. */
export function authorizationOf(request: object): string | undefined {
  return (request as { readonly headers?: IncomingMessage['headers'] }).headers?.authorization
}

/** Returns the header as the client has sent it. A hook can make one of a cookie, which browsers send by themselves. */
function sentAuthorization({ raw }: OriginRequest): string | undefined {
  const { rawHeaders } = raw as IncomingMessage
  const isName = (text: string, index: number): boolean => index % 2 === 0 && text.toLowerCase() === 'authorization'
  return rawHeaders[rawHeaders.findIndex(isName) + 1]
}

async function decideAll(request: object, gates: readonly TokenGate[]): Promise<boolean> {
  const answers = await Promise.all(gates.map((gate) => gate.decides(request)))
  return answers.every(Boolean)
}

/** Those of the scope of the route, and of the scopes around it. */
function kitsOf(request: object): readonly LoginKit[] {
  const kits: LoginKit[] = []
  let { server: scope } = request as { readonly server?: object | null }
  for (; scope; scope = Object.getPrototypeOf(scope)) kits.push(...ownKits(scope))
  return kits
}

function ownKits(scope: object): readonly LoginKit[] {
  return Object.getOwnPropertyDescriptor(scope, kKits)?.value ?? []
}
