// Stands for the declarations that others have written for connect-pg-simple and session-file-store.
import type * as expressSession from 'express-session'

declare function connect(session: typeof expressSession): new (options: object) => expressSession.Store

export default connect
