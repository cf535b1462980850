import type {} from 'fastify-typed-session'

declare module 'fastify-typed-session' {
  interface SessionData {
    theme: 'dark' | 'light'
  }
}
