export type {
  FlaskBytes,
  FlaskCookieOptions,
  FlaskDateTime,
  FlaskDigest,
  FlaskKeyOptions,
  FlaskMarkup,
  FlaskTuple,
  FlaskUuid
} from '../../types/flask.ts'
export type { SessionFormat } from '../../types/format.ts'
export { flaskCookie } from './flask-cookie.ts'
export { tag, untag } from './tags.ts'
