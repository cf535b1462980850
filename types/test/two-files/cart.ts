import type {} from 'fastify-typed-session'

declare module 'fastify-typed-session' {
  interface SessionData {
    cart: Record<string, number>
    shared: string
  }
}
