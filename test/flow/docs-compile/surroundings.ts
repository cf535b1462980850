// What the blocks of the pages and of the doc comments take for granted, because every reader has it. A block that needs more
// imports or declares it, or finds it above itself on its page.
import type { FastifyInstance, FastifyReply, FastifyRequest, preHandlerHookHandler } from 'fastify'
import type { Session, SessionStore } from 'fastify-typed-session'

// A page that declares one of these declares it so: the pages agree.
declare module 'fastify-typed-session' {
  interface SessionData {
    userId: number
    visits: number
    cart: Record<string, number>
  }
}

export declare const app: FastifyInstance
export declare const request: FastifyRequest
export declare const reply: FastifyReply
/** As in a handler: `({ session }) => …`. What registers the plugin imports it. */
export declare const session: Session

export declare const secret: string
export declare const logVisit: preHandlerHookHandler
export declare const MyStore: new (options: { clock: () => number }) => SessionStore
export declare function findUser(id: number): Promise<{ epoch: number } | undefined>
