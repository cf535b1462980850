import type { SessionRecord } from '../../types/store.ts'

/**
 * The `extensions` of a record that is no session, but kept beside them: the tombstone of an id, the series of a remembered login. Who
 * counts or lists all sessions leaves it out. The letter is a capital: whoever does not know it refuses the record.
 */
export const NO_SESSION = ':N'

/** Whether a record is a session. */
export function isSession({ extensions }: Pick<SessionRecord, 'extensions'>): boolean {
  return extensions !== NO_SESSION
}

/** Returns a record that notes something until it expires: it has no owner, and is no session. */
export function createNote(at: number, json = '{}'): SessionRecord {
  return {
    json,
    createdAt: at,
    lastSeenAt: at,
    permanent: false,
    ownerId: undefined,
    description: undefined,
    extensions: NO_SESSION
  }
}
