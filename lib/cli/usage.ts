/** What `--help` prints. */
export const USAGE = `Usage: fastify-typed-session <command>

  secret [--format hex|base64url]
      Prints a new key: 32 random bytes, as 64 hexadecimal or 43 base64url characters.

  inspect <cookie | -> [--name session] [--secret-file <file>]... [--idle-timeout 86400] [--absolute-timeout 2592000]
          [--max-idle-timeout <seconds>] [--max-absolute-timeout <seconds>]
      Shows what a cookie holds, its times and its sizes. The cookie is a value, name=value, or a complete Cookie or Set-Cookie
      header; - reads it from the standard input. With the secrets of the server it also says whether the cookie opens, and why
      if it does not: those in the files, or in SESSION_SECRETS, separated by commas, or in SESSION_SECRET. Timeouts are in
      seconds. It reads encrypted cookies only with a secret. For a session in a store it shows the key of the session there.

  migrate --store <store>
      Creates the table of the store, or updates it.

  migrate --print [postgres] [mysql] [sqlite] [--table sessions] [--schema <schema>]
      Prints the statements that create the table.

  prune --store <store>
      Removes expired sessions.

  sessions <owner> --store <store> [--secret-file <file>]...
      Lists the sessions of an owner. With the secrets of the server, as for inspect, also encrypted descriptions.

  sessions --all | --count --store <store>
      Lists the sessions of everybody, or says how many there are.

  revoke <owner | handle> --store <store> [--secret-file <file>]...
      Ends all sessions of an owner, or one session. Its browser is not remembered any more, either. A single session whose data are
      encrypted takes the secrets of the server, as for inspect.

  revoke --all --store <store> [--yes]
      Ends every session. It asks first, unless there is --yes.

A store is one of these; without --store, SESSION_STORE in the environment says it.
  sqlite:sessions.db              [--table sessions]
  file:sessions                   the directory of a FileStore
  redis://localhost:6379          [--prefix session:]
  postgres://user@localhost/shop  [--table sessions] [--schema <schema>]
  mysql://user@localhost/shop     [--table sessions] [--schema <database>]

  --help, --version`
