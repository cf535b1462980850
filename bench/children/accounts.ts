import type { PayloadName } from './setting.ts'

interface Profile {
  readonly id: number
  readonly name: string
  readonly email: string
  readonly roles: readonly string[]
  readonly settings: Readonly<Record<string, string | boolean>>
  readonly cart?: readonly object[]
}

/** The data of a session. `/login` stores it, `/read` returns the name, `/write` counts the visit. */
export interface Account {
  profile: Profile
  visits: number
}

/** Large, so that the number of digits and the length of the cookie do not change. */
const FIRST_VISIT = 100_000
const ACCOUNTS = 50

const CART_ITEMS: Readonly<Record<PayloadName, number>> = { small: 0, large: 18 }

/** Returns the accounts of the logins. The server creates them before the measurement. */
export function createAccounts(payload: PayloadName): Account[] {
  return Array.from({ length: ACCOUNTS }, (_, index) => {
    const id = 10_000 + index
    const profile: Profile = {
      id,
      name: `user-${id}`,
      email: `user-${id}@example.com`,
      roles: ['reader', 'editor'],
      settings: { theme: 'dark', locale: 'en-GB', zone: 'Europe/London', beta: true }
    }
    const cart = Array.from({ length: CART_ITEMS[payload] }, (_, item) => ({
      sku: `SKU-${(id * 7919 + item * 104_729) % 1_000_000}`,
      title: `Article number ${item + 1} of the catalogue`,
      quantity: (item % 4) + 1,
      price: 1299 + item * 37
    }))
    return { profile: cart.length === 0 ? profile : { ...profile, cart }, visits: FIRST_VISIT }
  })
}

/** Returns a function that returns one account after the other, in a cycle. */
export function createTurnstile(accounts: readonly Account[]): () => Account {
  let turn = 0
  return () => accounts[turn++ % accounts.length] as Account
}
