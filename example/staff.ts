import { matches } from './users.ts'

/** Somebody who works here. Another kind of user than those who shop. */
interface Colleague {
  readonly id: string
  readonly name: string
  /** As that of a user. */
  readonly passwordHash: string
}

declare module 'fastify-typed-session/login' {
  interface LoginUsers {
    staffUser: Colleague
  }
}

/** The page on which the staff logs in shows it. */
export const STAFF_PASSWORD = 'trajectory'

const KATHERINE: Colleague = {
  // The id of a user, too. That means nothing: each kit has its own users.
  id: '1815',
  name: 'Katherine Johnson',
  passwordHash: 'KQ8Dg-hudGdasMFGBk80MQ.eVEZCzqLE_yL5OhmaVK1FhFsic47X0ABsM00Wps9OZ4'
}

export function findColleague(id: string): Colleague | undefined {
  return id === KATHERINE.id ? KATHERINE : undefined
}

/** Returns whose password it is, or undefined. */
export async function checkStaffPassword(password: string): Promise<Colleague | undefined> {
  return (await matches(password, KATHERINE.passwordHash)) ? KATHERINE : undefined
}
