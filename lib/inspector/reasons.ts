import type { SessionReason } from '../../types/diagnostics.ts'

/** What a reason means, in a few words. `docs/why-no-cookie.md` has more. */
export const REASONS: Readonly<Record<SessionReason, string>> = {
  opened: 'the cookie opened',
  'reserved-key': 'stored keys that are names of session members were left out',
  'no-cookie': 'no cookie came',
  malformed: 'not a cookie of this format and mode',
  'unknown-key': 'sealed with a secret that this server does not have',
  'bad-signature': 'changed, forged, or made for another name',
  'not-yet-valid': 'stamped in the future: a clock is wrong',
  'expired-idle': 'no activity for too long',
  'expired-absolute': 'older than any session may get',
  'not-found': 'the store has no such session: it has ended, or has another id',
  untouched: 'nobody looked at the session: no cookie sent',
  unchanged: 'read only, or written with what was there: no cookie sent',
  empty: 'a new session with nothing in it: no cookie sent',
  created: 'a new session: cookie sent',
  changed: 'the session changed: cookie sent, or written to the store',
  renewed: 'a new id: cookie sent',
  restamped: 'the last activity was noted: cookie sent',
  rekeyed: 'sealed again with the newest secret: cookie sent',
  emptied: 'the last data were removed: cookie cleared',
  destroyed: 'the session ended: cookie cleared',
  'insecure-transport': 'a Secure cookie was sent over plain HTTP, where most browsers drop it',
  'too-large': 'larger than a cookie may be: not sent, the request failed',
  'not-storable': 'JSON cannot hold what is in it: not sent, the request failed',
  disabled: 'the route has no sessions',
  'headers-sent': 'changed after the headers were sent: the change is lost',
  conflict: 'others changed it each time: not sent, the request failed',
  gone: 'another request ended the session: nothing was kept',
  'over-limit': 'the owner has too many sessions: not sent, the request failed',
  'store-unavailable': 'the store failed, or did not answer in time'
}
