import type { Session } from 'fastify-typed-session'

export interface AdminData {
  name: string
  level: number
}

declare module 'fastify-typed-session' {
  interface SessionData {
    userId: number
    name: string | null
    loggedIn: boolean
    role: 'admin' | 'reader'
    cart: Record<string, number>
    id: string
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    adminSession: Session<AdminData>
  }
}
