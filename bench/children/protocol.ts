/** The messages between the bench and its child processes. A child answers each message with exactly one message. */

export type SystemName =
  | 'bare'
  | 'bare-again'
  | 'signed'
  | 'encrypted'
  | 'memory'
  | 'redis'
  | 'secure-session'
  | 'fastify-session'
  | 'fastify-session-redis'
  | 'iron-session'

export type RouteName = 'untouched' | 'read' | 'write' | 'anon' | 'login'

export type PayloadName = 'small' | 'large'

export type ServerRequest =
  | { readonly ask: 'sample' }
  | { readonly ask: 'start-profile' }
  | { readonly ask: 'stop-profile'; readonly file: string }

/** CPU time in microseconds since the start; memory in bytes. */
export interface Sample {
  readonly cpu: number
  readonly rss: number
  readonly peakRss: number
}

export type DriverRequest =
  | {
      readonly ask: 'open'
      readonly server: string
      readonly port: number
      readonly connections: number
      /** Whether each connection logs in first and then sends its cookie. */
      readonly logIn: boolean
    }
  | { readonly ask: 'drive'; readonly server: string; readonly route: RouteName; readonly requests: number }
  | { readonly ask: 'close'; readonly server: string }

export interface Drive {
  readonly milliseconds: number
  /** The number of replies that set a cookie. */
  readonly cookiesSet: number
  /** The cookie of the first connection, and the number of requests that it has sent since it was opened. */
  readonly cookie: string
  readonly sent: number
}
