import type { SessionReason } from '../../types/diagnostics.ts'

/** Explains each reason in a few words. `docs/why-no-cookie.md` has more. */
export const REASONS: Readonly<Record<SessionReason, string>> = {
  opened: 'the cookie opened',
  'reserved-key': 'stored keys that are names of session members were left out',
  'no-cookie': 'the request had no cookie of this session',
  malformed: 'not a cookie of this format and mode',
  'unknown-key': 'sealed with a secret that this server does not have',
  'bad-signature': 'changed, forged, or issued for another cookie name',
  'not-yet-valid': 'its time is in the future: a clock is wrong',
  'expired-idle': 'no activity for too long',
  'expired-absolute': 'older than the absolute timeout allows',
  'not-found': 'the store has no session with this id: it has ended, or has a new id',
  untouched: 'no handler used the session: no cookie sent',
  unchanged: 'only read, or written with equal values: no cookie sent',
  empty: 'a new session without data: no cookie sent',
  created: 'a new session: cookie sent',
  changed: 'the session changed: cookie sent, or written to the store',
  renewed: 'a new id: cookie sent',
  restamped: 'the activity was recorded: cookie sent',
  rekeyed: 'sealed again with the newest secret: cookie sent',
  emptied: 'the session lost its last data: cookie cleared',
  destroyed: 'the session ended: cookie cleared',
  'insecure-transport': 'a Secure cookie was sent over plain HTTP, where most browsers drop it',
  'too-large': 'larger than a cookie, or maxBytes, allows: not saved, the request failed',
  'not-storable': 'JSON cannot hold the data: not sent, the request failed',
  disabled: 'the route has no sessions',
  'headers-sent': 'changed after the headers were sent: the change is lost',
  conflict: 'other requests changed it during each attempt: not sent, the request failed',
  gone: 'another request ended the session: nothing was saved',
  'over-limit': 'the owner has too many sessions: not sent, the request failed',
  'store-unavailable': 'the store failed, or did not answer in time'
}
