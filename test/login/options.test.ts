import t from 'tap'
import { resolveLoginOptions } from '../../lib/login/options.ts'
import { SERIES_OWNER } from '../../lib/login/remember-tokens.ts'
import type { LoginOptions, User } from '../../types/login.ts'
import { ANA } from '../helpers/login-app.ts'

const DAY = 86_400
const request = {} as never

function resolve(options: object = {}) {
  return resolveLoginOptions({ loadUser: () => ANA, ...options } as LoginOptions, () => 9_999)
}

function userWith(id: unknown): User {
  return { ...ANA, id } as User
}

t.test('the defaults', async (t) => {
  const settings = resolve()
  t.ok(Object.isFrozen(settings))
  t.match(settings, {
    loginPath: undefined,
    confirmPath: undefined,
    roles: undefined,
    protection: 'basic',
    remember: undefined,
    clearSiteData: false,
    csrfKey: '_csrf',
    decorator: 'session',
    userDecorator: 'user',
    accessor: 'request'
  })
  t.equal(settings.now(), 9, 'the clock is that of the session')
  t.equal(settings.hashOf(ANA), undefined)
  t.equal(resolve({ remember: false }).remember, undefined)
  for (const remember of [true, {}]) {
    t.match(resolve({ remember }).remember, {
      cookieName: 'remember',
      attributes: { path: '/', httpOnly: true, sameSite: 'lax', secure: 'auto' },
      maxAge: 30 * DAY,
      absoluteMaxAge: 365 * DAY,
      grace: 60
    })
  }
})

t.test('the given options', async (t) => {
  const settings = resolve({
    loginPath: '/login?x=1',
    protection: false,
    clearSiteData: true,
    csrfKey: 'csrf',
    decorator: 'admin',
    clock: () => 7_999,
    remember: {
      cookieName: '__Host-r',
      maxAge: 400 * DAY,
      absoluteMaxAge: 400 * DAY,
      grace: 0,
      cookie: { sameSite: 'strict' }
    },
    prefix: '/what-autoload-passes',
    logLevel: 'warn',
    logSerializers: {}
  })
  t.match(settings, {
    loginPath: '/login?x=1',
    confirmPath: '/login?x=1',
    protection: false,
    clearSiteData: true,
    csrfKey: 'csrf',
    decorator: 'admin',
    remember: { cookieName: '__Host-r', maxAge: 400 * DAY, grace: 0, attributes: { sameSite: 'strict', secure: true } }
  })
  t.equal(settings.now(), 7)
  t.equal(settings.remember?.now(), 7)
  t.equal(resolve({ loginPath: '/a', confirmPath: '/b' }).confirmPath, '/b')
  t.equal(resolve({ confirmPath: '/b' }).loginPath, undefined)
})

t.test('a kit has a name, by which its errors call it', async (t) => {
  const settings = resolve({ userDecorator: 'adminUser' })
  t.match(settings, { userDecorator: 'adminUser', accessor: "getLogin(request, 'adminUser')" })
  t.throws(() => settings.idOf(userWith('')), { message: /^getLogin\(request, 'adminUser'\)\.login\(\)/ })
  t.throws(() => resolve().idOf(userWith('')), { message: /^request\.login\(\)/ })
})

t.test('the paths can be functions', async (t) => {
  const [loginPath, confirmPath] = [() => '/login', () => '/confirm']
  t.equal(resolve({ loginPath }).loginPath, loginPath)
  t.equal(resolve({ loginPath }).confirmPath, loginPath)
  t.equal(resolve({ loginPath, confirmPath }).confirmPath, confirmPath)
})

t.test('wrong options are refused', async (t) => {
  const invalid = { code: 'ERR_SESSION_OPTION_INVALID' }
  for (const options of [undefined, null, 'x', []])
    t.throws(() => resolveLoginOptions(options as never, Date.now), invalid)
  t.throws(() => resolveLoginOptions({} as LoginOptions, Date.now), {
    ...invalid,
    message: /needs the option loadUser/
  })
  for (const wrong of [
    { loadUser: 'x' },
    { getId: 'id' },
    { roles: [] },
    { authHash: 'x' },
    { loginPath: 'login' },
    { loginPath: '//elsewhere' },
    { loginPath: 'https://elsewhere' },
    { confirmPath: '' },
    { confirmPath: ['/confirm'] },
    { protection: true },
    { protection: 'weak' },
    { remember: 1 },
    { remember: null },
    { remember: [] },
    { remember: { cookieName: 7 } },
    { remember: { cookieName: 'a b' } },
    { remember: { cookie: true } },
    { remember: { cookie: { path: 'x' } } },
    { remember: { maxAge: 0 } },
    { remember: { maxAge: 400 * DAY + 1 } },
    { remember: { maxAge: 1.5 } },
    { remember: { absoluteMaxAge: 0 } },
    { remember: { absoluteMaxAge: 2 ** 31 } },
    { remember: { absoluteMaxAge: DAY, maxAge: DAY + 1 } },
    { remember: { maxAge: 366 * DAY } },
    { remember: { grace: -1 } },
    { remember: { grace: DAY + 1 } },
    { clearSiteData: 'yes' },
    { csrfKey: 7 },
    { decorator: 7 },
    { userDecorator: 7 },
    { userDecorator: '' },
    { userDecorator: 'admin user' },
    { userDecorator: '__proto__' },
    { userDecorator: null },
    { clock: 7 }
  ]) {
    t.throws(() => resolve(wrong), invalid, JSON.stringify(wrong))
  }
  t.throws(() => resolve({ userLoader: 1 }), {
    code: 'ERR_SESSION_OPTION_UNKNOWN',
    message: /Known are loadUser, authenticate/
  })
  t.throws(() => resolve({ remember: { name: 'x' } }), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
  t.throws(() => resolve({ remember: { cookieName: '__Host-r', cookie: { path: '/x' } } }), {
    code: 'ERR_SESSION_COOKIE_RULE'
  })
})

t.test('loadUser returns a user or null', async (t) => {
  const asked: unknown[] = []
  const { loadUser } = resolve({
    loadUser(...given: unknown[]) {
      asked.push(...given)
      return ANA
    }
  })
  t.equal(await loadUser('1', request), ANA)
  t.same(asked, ['1', request])
  for (const nobody of [null, undefined]) {
    t.equal(await resolve({ loadUser: () => nobody }).loadUser('1', request), null)
    t.equal(await resolve({ loadUser: async () => nobody }).loadUser('1', request), null)
  }
  for (const [wrong, shown] of [
    [false, 'a boolean'],
    ['Ana', 'a string'],
    [0, 'a number'],
    [[ANA], 'an array'],
    [() => ANA, 'a function']
  ]) {
    await t.rejects(resolve({ loadUser: async () => wrong }).loadUser('1', request), {
      code: 'ERR_SESSION_VALUE',
      message: `The option loadUser must return a user, which is an object, or null; it returned ${shown}.`
    })
  }
  const broken = resolve({
    loadUser: () => {
      throw new Error('at once')
    }
  })
  await t.rejects(broken.loadUser('1', request), { message: 'at once' })
})

t.test('the id of a user is a string of 1 to 255 characters', async (t) => {
  const { idOf } = resolve()
  for (const [id, expected] of [
    ['ana', 'ana'],
    [0, '0'],
    [-0, '0'],
    [7n, '7'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    ['x'.repeat(255), 'x'.repeat(255)]
  ]) {
    t.equal(idOf(userWith(id)), expected)
  }
  const refused = { code: 'ERR_SESSION_VALUE' }
  for (const id of [undefined, null, true, 1.5, Number.NaN, 2 ** 53, {}, ['1'], '', 'x'.repeat(256), '\0']) {
    t.throws(() => idOf(userWith(id)), refused, String(id))
  }
  for (const user of [undefined, null, 7, Promise.resolve(ANA)]) t.throws(() => idOf(user as never), refused)
  t.throws(() => idOf(userWith(true)), { message: /this one is a boolean\. For other ids, set the option getId/ })
  t.throws(() => idOf(userWith(`${SERIES_OWNER}x`)), { ...refused, message: /must not start with 'remember '/ })
  const named = resolve({ getId: ({ name }: User) => name })
  t.equal(named.idOf(ANA), 'Ana')
  t.throws(() => resolve({ getId: () => 7 }).idOf(ANA), refused, 'what getId gives is not converted')
  t.throws(() => resolve({ getId: async () => 'x' }).idOf(ANA), refused)
})

t.test('roles are an array', async (t) => {
  t.same(resolve({ roles: ({ roles }: User) => roles }).roles?.(ANA), ['admin'])
  for (const wrong of ['administrator', undefined, null, Promise.resolve([]), new Set(['admin'])]) {
    t.throws(() => resolve({ roles: () => wrong }).roles?.(ANA), { code: 'ERR_SESSION_VALUE' })
  }
})

t.test('authHash returns a string, and the session holds its digest', async (t) => {
  const { hashOf } = resolve({ authHash: ({ password }: User) => password })
  t.match(hashOf(ANA), /^[\w-]{43}$/)
  t.equal(hashOf(ANA), hashOf({ ...ANA }))
  t.not(hashOf(ANA), hashOf({ ...ANA, password: 'new' }))
  for (const wrong of [undefined, null, 7, Promise.resolve('x'), Buffer.from('x')]) {
    t.throws(() => resolve({ authHash: () => wrong }).hashOf(ANA), { code: 'ERR_SESSION_VALUE' })
  }
})

t.test('functions are called as methods of the options object, which is not changed', async (t) => {
  const options = {
    users: new Map([['1', ANA]]),
    prefix: '',
    loadUser(id: string) {
      return this.users.get(id)
    },
    getId(user: User) {
      return `${this.users.size} ${user.id}`
    },
    roles() {
      return [...this.users.keys()]
    },
    authHash() {
      return String(this.users.size)
    }
  }
  const { users, ...plain } = options
  const settings = resolveLoginOptions(Object.assign(Object.create({ users }), plain) as LoginOptions, Date.now)
  t.equal(await settings.loadUser('1', request), ANA)
  t.equal(settings.idOf(ANA), '1 1')
  t.same(settings.roles?.(ANA), ['1'])
  t.type(settings.hashOf(ANA), 'string')
})

t.test('authenticate returns a user, null, or undefined for a header of others', async (t) => {
  t.equal(resolve().authenticate, undefined)
  const answer = (value: unknown): unknown => resolve({ authenticate: () => value }).authenticate?.(request)
  t.equal(await answer(ANA), ANA)
  t.equal(await answer(null), null)
  t.equal(await answer(undefined), undefined)
  for (const value of [true, false, 0, '', [ANA]]) {
    const failed = { code: 'ERR_SESSION_VALUE', message: /option authenticate must return a user/ }
    await t.rejects(answer(value) as Promise<unknown>, failed)
  }
  t.throws(() => resolve({ authenticate: true }), { code: 'ERR_SESSION_OPTION_INVALID' })
})

t.test('a challenge is a scheme with parameters, and goes with authenticate', (t) => {
  const authenticate = () => null
  t.equal(resolve().challenge, 'Bearer')
  for (const challenge of ['Bearer', 'Bearer realm="shop", scope="a b"', 'X-Api_Key']) {
    t.equal(resolve({ authenticate, challenge }).challenge, challenge)
  }
  for (const challenge of ['', ' Bearer', 'Bearer ', 'Bearer\r\nx: y', 'Bearer realm="é"', '"Bearer"', 7, null]) {
    t.throws(() => resolve({ authenticate, challenge }), { code: 'ERR_SESSION_OPTION_INVALID' }, String(challenge))
  }
  t.throws(() => resolve({ challenge: 'Bearer' }), { message: /needs the option authenticate/ })
  t.end()
})

t.test('an impersonation may be left alone for some seconds', (t) => {
  t.equal(resolve().impersonationIdleTimeout, 900)
  t.equal(resolve({ impersonationIdleTimeout: 1 }).impersonationIdleTimeout, 1)
  for (const impersonationIdleTimeout of [0, -1, 1.5, '900', null]) {
    t.throws(() => resolve({ impersonationIdleTimeout }), { code: 'ERR_SESSION_OPTION_INVALID' })
  }
  t.end()
})
