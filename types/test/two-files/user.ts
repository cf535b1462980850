export interface User {
  id: number
  name: string
}

declare module 'fastify-typed-session' {
  interface SessionData {
    user: User
    shared: string
  }
}
