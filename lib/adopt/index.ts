export type {
  AdoptOptions,
  FoundSession,
  GoneSession,
  OldCookie,
  ReaderContext,
  ReaderRefusal,
  SessionReader
} from '../../types/adopt.ts'
export type { CookieSessionReaderOptions, OldKeygrip } from './cookie-session.ts'
export { cookieSession } from './cookie-session.ts'
export type { ExpressSessionOptions } from './express-session.ts'
export { expressSession } from './express-session.ts'
export type { FastifySessionOptions } from './fastify-session.ts'
export { fastifySession } from './fastify-session.ts'
export type { FlaskReaderOptions } from './flask.ts'
export { flask } from './flask.ts'
export type { BinaryIoredis, BinaryNodeRedis, CachelibFilesOptions, FlaskRecords } from './flask-records.ts'
export { cachelibFiles } from './flask-records.ts'
export type { FlaskSessionOptions } from './flask-session.ts'
export { flaskSession } from './flask-session.ts'
export type { IronSessionOptions } from './iron-session.ts'
export { ironSession } from './iron-session.ts'
export type { SecureSessionOptions } from './secure-session.ts'
export { secureSession } from './secure-session.ts'
export type { OldSessionStore } from './stored-reader.ts'
