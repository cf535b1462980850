/** Of the length that the cookie libraries of all systems take: 32 bytes. */
export const SECRET = 'kZ3vQ8rT1xW6yB0nL5mJ9hG2fD7sA4pE'

export const COOKIE_NAME = 'session'

/** What every system sets on its cookie. */
export const COOKIE_ATTRIBUTES = { path: '/', httpOnly: true, sameSite: 'lax', secure: false } as const
