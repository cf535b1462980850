/** The member of a session that holds the page to which a browser comes back after the login, as in Flask-Login. */
export const NEXT = 'next'

/** The member of a session that counts how often a guard has sent its visitor away from a page. */
export const SENT = '_sent'

/** The member of a session that holds the login. */
export const LOGIN = '_login'

/** The member of a session that says as whom its user acts. */
export const ACTING = '_acting'

/** What this package itself puts into sessions. */
export const OWN_KEYS: readonly string[] = Object.keys(splitData({}).own)

type Data = Readonly<Record<string, unknown>>

/** Separates what the application has put into a session from what this package has. */
export function splitData(data: object): { readonly own: Data; readonly theirs: Record<string, unknown> } {
  const { [NEXT]: next, [SENT]: sent, [LOGIN]: login, [ACTING]: acting, ...theirs } = data as Data
  return { own: { [NEXT]: next, [SENT]: sent, [LOGIN]: login, [ACTING]: acting }, theirs }
}

/** Whether the application has put something into a session. */
export function hasTheirs(data: object): boolean {
  return Object.keys(data).some((key) => !OWN_KEYS.includes(key))
}
