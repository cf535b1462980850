/** 32 bytes, the length that all systems accept. */
export const SECRET = 'kZ3vQ8rT1xW6yB0nL5mJ9hG2fD7sA4pE'

export const COOKIE_NAME = 'session'

/** The attributes that this package sends by default. */
export const COOKIE_ATTRIBUTES = { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto' } as const
