import { scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { User } from 'fastify-typed-session/login'

declare module 'fastify-typed-session/login' {
  interface User {
    id: string
    username: string
    name: string
    /** The salt and what scrypt made of it and the password, in base64url. */
    passwordHash: string
  }
}

/** What the login page tells everybody. In your application nobody knows them, the server included. */
export const DEMO_PASSWORDS = [
  { username: 'ada', password: 'analytical engine' },
  { username: 'grace', password: 'debugged a moth' }
] as const

const USERS: readonly User[] = [
  {
    id: '1815',
    username: 'ada',
    name: 'Ada Lovelace',
    passwordHash: 'SqDHO53KhxsW--_ot5HTcQ.P9c6lkoFrhuOSVtgTPbDmI4C0U1wrJtpD7jV0j6Boa4'
  },
  {
    id: '1906',
    username: 'grace',
    name: 'Grace Hopper',
    passwordHash: '6BzmqLO-F_Odl466pWHssQ.G9TL0VLLlPG0fuIhqLeBk36yfPzNhOgVe8gFz9GbhcE'
  }
]

/** What nobody's password matches, so that a name that does not exist takes as long as one that does. */
const NOBODY = '3EX9u6IgzFFJE4DyaZ05sA.JiyQ7RRfbnI6ZIo8WyuaK5TJhI_uBIRzkIbvt5l-GKk'

/** As OWASP recommends for scrypt with 16 MiB. */
const COST = { N: 2 ** 14, r: 8, p: 5 }

const derive = promisify<string, Buffer, number, typeof COST, Buffer>(scrypt)

export function findUser(id: string): User | undefined {
  return USERS.find((user) => user.id === id)
}

/** The user with this name and password, or undefined. Which of both was wrong is not told. */
export async function checkPassword(username: string, password: string): Promise<User | undefined> {
  const user = USERS.find((one) => one.username === username)
  const isRight = await matches(password, user?.passwordHash ?? NOBODY)
  return isRight ? user : undefined
}

async function matches(password: string, passwordHash: string): Promise<boolean> {
  const [salt = '', expected = ''] = passwordHash.split('.')
  const hash = Buffer.from(expected, 'base64url')
  const actual = await derive(password.normalize(), Buffer.from(salt, 'base64url'), hash.length, COST)
  return timingSafeEqual(actual, hash)
}
