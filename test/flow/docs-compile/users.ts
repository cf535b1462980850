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

export declare const users: ReadonlyMap<string, User>
export declare function checkPassword(form: unknown): Promise<User | null>
/** Returns the hash of a password. */
export declare function hash(password: string): Promise<string>
