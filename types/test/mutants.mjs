// One mistake each in the built declarations, and the programs that must notice it. `isAny`: so must the search for `any`.
export const MUTANTS = [
  {
    name: 'a key that was declared is always there',
    file: 'types/session.d.ts',
    from: /\]\?: Storable<Data\[Key\]> \| undefined/,
    to: ']: Storable<Data[Key]>',
    kills: ['session', 'commonjs', 'refused']
  },
  {
    name: 'has says nothing of the key',
    file: 'types/session.d.ts',
    from: /this is this & Having<Data, Key>/,
    to: 'boolean',
    kills: ['session', 'refused']
  },
  {
    name: 'has speaks for all of several keys',
    file: 'types/session.d.ts',
    from: /Key extends unknown \?/,
    to: '[Key] extends [unknown] ?',
    kills: ['session']
  },
  {
    name: 'the data of a raw request can be changed',
    file: 'types/raw-session.d.ts',
    from: /Readonly<SessionValues<Data>>/,
    to: 'SessionValues<Data>',
    kills: ['session', 'refused']
  },
  {
    name: 'any leaks',
    file: 'types/session.d.ts',
    from: '0 extends 1 & T ? unknown',
    to: '0 extends 1 & T ? T',
    kills: ['session']
  },
  {
    name: 'a schema may transform',
    file: 'types/schema.d.ts',
    from: /\[OutputOf<Schema>\] extends \[InputOf<Schema>\] \? unknown : NotSessionSchema<[^>]*>/,
    to: 'unknown',
    kills: ['schema']
  },
  {
    name: 'JSON carries dates',
    file: 'types/session.d.ts',
    from: /T extends Date \? NotStorable<[^>]*>/,
    to: 'T extends Date ? T',
    kills: ['session', 'refused']
  },
  {
    name: 'arrays may hold anything',
    file: 'types/session.d.ts',
    from: /\? CheckedList<T> :/,
    to: '? T :',
    kills: ['session']
  },
  {
    name: 'what JSON carries loses its name',
    file: 'types/session.d.ts',
    from: /Same<T, Checked<T>> extends true \? T : Checked<T>/,
    to: '{ [Key in keyof T]: T[Key] }',
    kills: ['session']
  },
  {
    name: 'a copy by spread has the methods',
    file: 'types/session.d.ts',
    from: 'declare abstract class SessionMethods',
    to: 'interface SessionMethods',
    kills: ['session', 'refused']
  },
  {
    name: 'data overwrite methods',
    file: 'types/session.d.ts',
    from: 'keyof SessionMethods | ',
    to: '',
    kills: ['session', 'refused']
  },
  {
    name: 'data overwrite what every object has',
    file: 'types/session.d.ts',
    from: 'keyof typeof Object.prototype | ',
    to: '',
    kills: ['session']
  },
  {
    name: 'a session has an index signature',
    file: 'types/session.d.ts',
    from: /export interface SessionData \{/,
    to: 'export interface SessionData { [key: string]: unknown;',
    kills: ['bare', 'refused']
  },
  {
    name: 'getSession gives any',
    file: 'lib/request/get-session.d.ts',
    from: /: Session<Data>;/,
    to: ': any;',
    kills: ['session', 'two-files'],
    isAny: true
  },
  {
    name: 'a guard does not narrow',
    file: 'types/guard.d.ts',
    from: 'Session<Data> & More;',
    to: 'Session<Data>;',
    kills: ['guards']
  },
  {
    name: 'a guard lets null through',
    file: 'types/guard.d.ts',
    from: 'undefined | null | false',
    to: 'undefined | false',
    kills: ['guards']
  },
  {
    name: 'a guarded handler knows no type provider',
    file: 'types/guard.d.ts',
    from: /\n {4}\(this: FastifyInstance[^\n]*isNoFunction: never\): never;/,
    to: '',
    kills: ['guards']
  },
  {
    name: 'the guards of the login kit do not narrow',
    file: 'types/login.d.ts',
    from: 'readonly [Key in Name]: UserOf<Name>;',
    to: 'readonly [Key in Name]: unknown;',
    kills: ['login']
  },
  {
    name: 'the user is any',
    file: 'types/login.d.ts',
    from: 'readonly user: Person | null;',
    to: 'readonly user: any;',
    kills: ['login'],
    isAny: true
  },
  {
    name: 'every login kit has the users of the first',
    file: 'types/login.d.ts',
    from: "Name extends 'user' ? User : LoginUsers[Name & keyof LoginUsers]",
    to: 'User',
    kills: ['login']
  },
  {
    name: 'the data of a test are any object',
    file: 'lib/testing/session-cookie.d.ts',
    from: 'data: SessionValues<Data>',
    to: 'data: object',
    kills: ['refused']
  },
  {
    name: 'readSession gives any',
    file: 'lib/testing/read-session.d.ts',
    from: 'Promise<SessionReading<Data>>',
    to: 'Promise<any>',
    kills: ['session', 'refused'],
    isAny: true
  },
  {
    name: 'a reply without a session has data',
    file: 'lib/testing/read-session.d.ts',
    from: ']?: undefined',
    to: ']: never',
    kills: ['session', 'refused']
  },
  {
    name: 'the request has no session',
    file: 'lib/index.d.ts',
    from: "declare module 'fastify'",
    to: 'declare namespace Nowhere',
    kills: ['bare', 'two-files', 'commonjs', 'passport']
  },
  {
    name: 'anything can be assigned to request.session',
    file: 'lib/index.d.ts',
    from: /set session\([^)]*\)/,
    to: 'set session(value: unknown)',
    kills: ['refused']
  },
  {
    name: 'null cannot be assigned to request.session',
    file: 'lib/index.d.ts',
    from: /\.Session \| null\)/,
    to: '.Session)',
    kills: ['bare']
  },
  {
    name: 'a route config may be any object',
    file: 'types/options.d.ts',
    from: 'touch: boolean',
    to: 'touch?: boolean',
    kills: ['refused']
  },
  {
    name: 'a secret that is not set does not compile',
    file: 'types/options.d.ts',
    from: /secret: Secret \| readonly Secret\[\] \| undefined/,
    to: 'secret: Secret | readonly Secret[]',
    kills: ['bare']
  },
  {
    name: '__Host- with a domain',
    file: 'types/options.d.ts',
    from: 'domain?: undefined',
    to: 'domain?: string',
    kills: ['refused']
  },
  {
    name: 'prefixes go with every attribute',
    file: 'types/options.d.ts',
    from: 'Ruled<CookieOptions<OrdinaryCookieName, CookieAttributes>>',
    to: 'Ruled<CookieOptions<string, CookieAttributes>>',
    kills: ['refused']
  },
  {
    name: 'a union of names goes with what only some of them allow',
    file: 'types/options.d.ts',
    from: 'CookieOptions<SecureCookieName | OrdinaryCookieName, Ruled<SecureCookieAttributes>>',
    to: 'CookieOptions<SecureCookieName | OrdinaryCookieName, CookieAttributes>',
    kills: ['refused']
  },
  {
    name: 'a union of names does not go with what all of them allow',
    file: 'types/options.d.ts',
    from: 'CookieOptions<SecureCookieName | OrdinaryCookieName, ',
    to: 'CookieOptions<SecureCookieName, ',
    kills: ['session']
  },
  {
    name: 'nothing explains an attribute that is any string',
    file: 'types/options.d.ts',
    from: /Problem<'any string[^>]*>/,
    to: 'never',
    kills: ['refused']
  },
  {
    name: 'nothing explains the rules of prefixes',
    file: 'types/options.d.ts',
    from: /Problem<"a cookieName[^>]*>/,
    to: 'never',
    kills: ['refused']
  },
  {
    name: 'options that are read are explanations',
    file: 'types/options.d.ts',
    from: 'cookieName?: string | undefined',
    to: '',
    kills: ['session']
  },
  {
    name: 'guards of one session or another',
    file: 'types/problem.d.ts',
    from: /: Problem<'one name[^>]*>/,
    to: ': unknown',
    kills: ['guards']
  },
  {
    name: 'a key that nobody declared is refused without a name',
    file: 'types/guard.d.ts',
    from: 'SessionData declares no key',
    to: 'wrong',
    kills: ['guards']
  },
  {
    name: 'a name from the environment does not compile',
    file: 'types/options.d.ts',
    from: 'cookieName?: Name | undefined',
    to: 'cookieName?: Name',
    kills: ['session']
  },
  {
    name: 'an option of a guard cannot be undefined',
    file: 'types/guard.d.ts',
    from: 'redirectTo?: string | Method<[request: FastifyRequest], string> | undefined',
    to: 'redirectTo?: string | Method<[request: FastifyRequest], string>',
    kills: ['session']
  },
  {
    name: 'a policy needs no limit',
    file: 'types/options.d.ts',
    from: 'maxPerOwner: number',
    to: 'maxPerOwner?: number | undefined',
    kills: ['refused']
  },
  {
    name: 'the code of an error is any string',
    file: 'types/errors.d.ts',
    from: 'readonly code: SessionErrorCode',
    to: 'readonly code: string',
    kills: ['session']
  },
  {
    name: 'isSessionError does not narrow',
    file: 'lib/errors.d.ts',
    from: 'error is SessionError',
    to: 'boolean',
    kills: ['session', 'refused']
  }
]
