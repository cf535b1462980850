// The reader's users, where the login kit is. Apart from the other surroundings, because the kit and passport declare the same
// members of a request.
import type { User } from 'fastify-typed-session/login'

declare module 'fastify-typed-session/login' {
  interface User {
    id: number
    name: string
    roles: string[]
    passwordHash: string
  }
}

/** An administrator: the user of a kit of its own. */
interface Admin {
  id: number
  email: string
}

declare module 'fastify-typed-session/login' {
  interface LoginUsers {
    adminUser: Admin
  }
}

export declare const admins: ReadonlyMap<string, Admin>
export declare function checkAdmin(form: unknown): Promise<Admin | null>
export declare const users: ReadonlyMap<string, User>
export declare function checkPassword(form: unknown): Promise<User | null>
/** Returns the hash of a password. */
export declare function hash(password: string): Promise<string>
