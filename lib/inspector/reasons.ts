import type { SessionReason } from '../../types/diagnostics.ts'

/** Explains each reason in a few words. `docs/why-no-cookie.md` has more. */
export const REASONS: Readonly<Record<SessionReason, string>> = {
  opened: 'the cookie opened',
  'reserved-key': 'stored keys that are names of session members were left out',
  'no-cookie': 'the request had no cookie of this session',
  adopted: 'the session of another library has become one of ours',
  'adopt-refused': 'the cookie of another library is changed, of another key or expired, or was adopted before',
  'too-many-cookies': 'more than eight cookies of this name, and none of the first eight opens',
  malformed: 'not a cookie of this format and mode',
  'unknown-key': 'sealed with a secret that this server does not have',
  'bad-signature': 'changed, forged, or issued for another cookie name',
  unsupported: 'a newer version has written it, with a property that this one does not know and must not ignore',
  'not-yet-valid': 'its time is in the future: a clock is wrong',
  'expired-idle': 'no activity for too long',
  'expired-absolute': 'older than the absolute timeout allows',
  unreadable: 'the store has the session, and its data cannot be read',
  'invalid-data': 'the schema refuses the data: empty if they are of another version, or not saved',
  revoked: 'the session has ended early, as the list of revocations says',
  'not-found': 'the store has no session with this id: it has ended, or has a new id',
  'device-unproven': 'bound to a device, and without its proof: it opens nothing, and the reply has no cookie',
  renamed: 'an id from before a login or a renew(): it opens nothing, and the reply has no cookie',
  untouched: 'no handler used the session: no cookie sent',
  unchanged: 'only read, or written with equal values: no cookie sent',
  empty: 'a new session without data: no cookie sent',
  created: 'a new session: cookie sent',
  changed: 'the session changed: cookie sent',
  renewed: 'a new id: cookie sent',
  restamped: 'the activity was recorded: cookie sent',
  rekeyed: 'sealed again with the newest secret: cookie sent',
  migrated: 'data of an older version of the schema: saved as data of the present one',
  withheld: 'only the activity or the key was due, and caches may keep the reply: no cookie sent',
  emptied: 'the session lost its last data: cookie cleared',
  destroyed: 'the session ended: cookie cleared',
  stale: 'the cookie leads to a session that is gone: cookie cleared',
  'insecure-transport': 'a Secure cookie was sent over plain HTTP, where most browsers drop it',
  'too-large': 'larger than a cookie, or maxBytes, allows: not saved, the request failed',
  'not-storable': 'JSON cannot hold the data: not sent, the request failed',
  disabled: 'the route has no sessions',
  token: 'the Authorization header says who sends the request: its session is not used',
  'not-loaded': 'read before the store was asked for it: empty, and nothing is kept',
  'headers-sent': 'changed after the headers were sent: the change is lost',
  conflict: 'other requests changed it during each attempt: not sent, the request failed',
  gone: 'another request ended the session, or it has expired meanwhile: nothing was saved',
  'over-limit': 'the owner has too many sessions: not sent, the request failed',
  'store-unavailable': 'the store failed, or did not answer in time'
}

/** `isStored`: whether the data are in a store. */
export function explainReason(reason: SessionReason, isStored: boolean): string {
  return reason === 'changed' && isStored ? 'the session changed: written to the store' : REASONS[reason]
}
