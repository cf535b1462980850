import { scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { User } from 'fastify-typed-session/login'

declare module 'fastify-typed-session/login' {
  interface User {
    id: string
    username: string
    name: string
    roles: readonly string[]
    /** The salt and the scrypt hash of the password, both as base64url, with a dot between them. */
    passwordHash: string
  }
}

/** The login page shows these passwords. In your application not even the server knows a password. */
export const DEMO_PASSWORDS = [
  { username: 'ada', password: 'analytical engine' },
  { username: 'grace', password: 'debugged a moth' }
] as const

export const USERS: readonly User[] = [
  {
    id: '1815',
    username: 'ada',
    name: 'Ada Lovelace',
    roles: ['admin'],
    passwordHash: 'SqDHO53KhxsW--_ot5HTcQ.P9c6lkoFrhuOSVtgTPbDmI4C0U1wrJtpD7jV0j6Boa4'
  },
  {
    id: '1906',
    username: 'grace',
    name: 'Grace Hopper',
    roles: [],
    passwordHash: '6BzmqLO-F_Odl466pWHssQ.G9TL0VLLlPG0fuIhqLeBk36yfPzNhOgVe8gFz9GbhcE'
  }
]

/** A hash that no password matches. It makes the check of an unknown name take as long as that of a known one. */
const NO_PASSWORD = '3EX9u6IgzFFJE4DyaZ05sA.JiyQ7RRfbnI6ZIo8WyuaK5TJhI_uBIRzkIbvt5l-GKk'

/** The OWASP recommendation for scrypt with 16 MiB. */
const COST = { N: 2 ** 14, r: 8, p: 5 }

const derive = promisify<string, Buffer, number, typeof COST, Buffer>(scrypt)

export function findUser(id: string): User | undefined {
  return USERS.find((user) => user.id === id)
}

/** Returns the user with this name and password, or undefined. It does not say which of the two is wrong. */
export async function checkPassword(username: string, password: string): Promise<User | undefined> {
  const user = USERS.find((one) => one.username === username)
  const isRight = await matches(password, user?.passwordHash ?? NO_PASSWORD)
  return isRight ? user : undefined
}

/** Whether a password has a hash. */
export async function matches(password: string, passwordHash: string): Promise<boolean> {
  const [salt = '', expected = ''] = passwordHash.split('.')
  const hash = Buffer.from(expected, 'base64url')
  const actual = await derive(password.normalize(), Buffer.from(salt, 'base64url'), hash.length, COST)
  return timingSafeEqual(actual, hash)
}
