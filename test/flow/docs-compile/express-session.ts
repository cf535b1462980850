// Stands for @types/express-session, as far as the packages of docs/stores/express.md ask for it.
import type { ExpressSessionStore } from 'fastify-typed-session/stores/express'

export interface SessionData {
  readonly cookie: object
}

export declare class Store {
  readonly isExpressSession: true
}

export interface Store extends ExpressSessionStore {}

export declare class MemoryStore extends Store {}

declare function session(options: object): never

export default session
