/** What is known of a session of an owner, without its data. */
export interface OwnedSession {
  /** `session.id` of that session: safe to show, and what `revoke` takes. It opens nothing. */
  readonly handle: string
  readonly createdAt: Date
  /** When activity was last noted: exact to `refreshAfter`. */
  readonly lastSeenAt: Date
  /** When it ends if nothing more happens. */
  readonly expiresAt: Date
  /** Whether it is the one whose handle was given to `list`. */
  readonly current: boolean
  /** What the option `describe` gave when the session was created. */
  readonly description: Readonly<Record<string, unknown>>
}

/**
 * The sessions of owners, as `app.sessions` (the option `decorator` and an `s`). It needs a store: without one every method
 * rejects with `ERR_SESSION_STORE_REQUIRED`, because nobody knows which cookies are out there. When the store does not answer,
 * they reject with `ERR_SESSION_STORE_UNAVAILABLE`.
 *
 * @example
 * ```ts
 * app.get('/devices', async (request) => app.sessions.list(String(request.session.userId), { current: request.session.id }))
 * app.post('/logout-others', async (request) => {
 *   return app.sessions.revokeAll(String(request.session.userId), { except: request.session.id })
 * })
 * ```
 */
export interface Sessions {
  /** The live sessions of an owner, the one that was used last first. `current`: a handle to mark. */
  list(ownerId: string, options?: { readonly current?: string }): Promise<OwnedSession[]>

  /**
   * Ends a session: its next request is anonymous. A handle that is unknown, or none at all, is no error. Check before that the
   * session belongs to who asks.
   */
  revoke(handle: string): Promise<void>

  /** Ends all sessions of an owner but the one whose handle is given. How many there were. */
  revokeAll(ownerId: string, options?: { readonly except?: string }): Promise<number>
}
