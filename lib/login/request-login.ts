import type { LoadUserOptions, Login, LoginCallOptions, User } from '../../types/login.ts'
import { assertNoCallback } from '../util/check.ts'
import type { Account } from './account.ts'

/** What handlers have of the account of a request. It refuses what only JavaScript passes: a callback would never be called. */
export class RequestLogin implements Login {
  readonly #account: Account
  /** How handlers reach this object, for messages. */
  readonly #accessor: string

  constructor(account: Account, accessor: string) {
    this.#account = account
    this.#accessor = accessor
  }

  /** The guards of the kit use it. */
  static accountOf(login: RequestLogin): Account {
    return login.#account
  }

  get user(): User | null {
    return this.#account.current.user
  }

  get impersonator(): User | null {
    return this.#account.current.impersonator
  }

  get authenticatedAt(): Date | null {
    return this.#account.current.authenticatedAt
  }

  // The methods are not async, so that a callback is refused at once: nobody waits for a promise who passes one.

  loadUser(options?: LoadUserOptions, ...others: unknown[]): Promise<User | null> {
    this.#assertNoCallback('loadUser', [options, ...others])
    return this.#account.current.loadIfPossible(options)
  }

  login(user: User, options?: LoginCallOptions, ...others: unknown[]): Promise<void> {
    this.#assertNoCallback('login', [options, ...others])
    return this.#account.login(user, options)
  }

  logout(...others: unknown[]): Promise<void> {
    this.#assertNoCallback('logout', others)
    return this.#account.logout()
  }

  confirmLogin(...others: unknown[]): Promise<void> {
    this.#assertNoCallback('confirmLogin', others)
    return this.#account.confirmLogin()
  }

  logoutOthers(...others: unknown[]): Promise<number> {
    this.#assertNoCallback('logoutOthers', others)
    return this.#account.logoutOthers()
  }

  impersonate(user: User, ...others: unknown[]): Promise<void> {
    this.#assertNoCallback('impersonate', others)
    return this.#account.impersonate(user)
  }

  stopImpersonating(...others: unknown[]): Promise<void> {
    this.#assertNoCallback('stopImpersonating', others)
    return this.#account.stopImpersonating()
  }

  rehashed(user: User, ...others: unknown[]): Promise<void> {
    this.#assertNoCallback('rehashed', others)
    return this.#account.rehashed(user)
  }

  #assertNoCallback(method: keyof Login, values: readonly unknown[]): void {
    assertNoCallback(`${this.#accessor}.${method}()`, values)
  }
}
