import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import t from 'tap'
import type { User } from '../../lib/login/index.ts'
import { MODES } from '../helpers/app.ts'
import type { KitApp } from '../helpers/login-app.ts'
import { ANA, createKitApp, createStoredKitApp, Member } from '../helpers/login-app.ts'

const derive = promisify<string, Buffer, number, { cost: number }, Buffer>(scrypt)

/** Returns the cost, the salt and the key. */
async function hash(password: string, cost: number, salt = randomBytes(16)): Promise<string> {
  const key = await derive(password, salt, 32, { cost })
  return [cost, salt.toString('base64url'), key.toString('base64url')].join('.')
}

async function verify(password: string, stored: string): Promise<boolean> {
  const [cost = '', salt = ''] = stored.split('.')
  const given = await hash(password, Number(cost), Buffer.from(salt, 'base64url'))
  return timingSafeEqual(Buffer.from(given), Buffer.from(stored))
}

const COST = 1024

type Order = 'login first' | 'rehash first'

/** Adds a login with a password, which stores a better hash where it finds an old one. */
function addPasswordLogin({ app, users }: KitApp, order: Order, remember = false): void {
  app.post<{ Body: { password: string } }>('/enter', async (request, reply) => {
    // A copy, as a database returns it.
    const user = { ...(users.get('1') as User) }
    const { password } = request.body
    if (!(await verify(password, user.password))) return reply.code(401).send('wrong')
    if (order === 'login first') await request.login(user, { remember })
    if (!user.password.startsWith(`${COST}.`)) {
      user.password = await hash(password, COST)
      users.set('1', user)
      if (order === 'login first') await request.rehashed(user)
    }
    if (order === 'rehash first') await request.login(user, { remember })
    return 'in'
  })
}

const authHash = (user: User): string => user.password
const PASSWORD = { password: 'lovelace' }

t.test('a hash with a new cost, made right after the login, ends no login', async (t) => {
  for (const { mode, options, isSelfContained } of MODES) {
    const kit = await createKitApp(options, { authHash })
    addPasswordLogin(kit, 'login first')
    const [laptop, phone] = [new Member(kit.app), new Member(kit.app)]
    kit.users.set('1', { ...ANA, password: await hash(PASSWORD.password, COST) })
    await phone.submit('/enter', PASSWORD)
    const old = await hash(PASSWORD.password, COST / 2)
    kit.users.set('1', { ...ANA, password: old })
    await phone.submit('/login', { id: 1 })
    t.equal((await laptop.submit('/enter', PASSWORD)).body, 'in', mode)
    t.not(kit.users.get('1')?.password, old)
    t.equal(await laptop.read('/me'), 'Ana', mode)
    t.equal(await phone.read('/who'), isSelfContained ? 'nobody' : 'Ana', 'a server cannot write to other cookies')
    t.equal((await laptop.submit('/enter', { password: 'byron' })).statusCode, 401)
  }
})

t.test('browsers that are remembered stay remembered', async (t) => {
  const kit = await createStoredKitApp({ remember: true, authHash })
  addPasswordLogin(kit, 'login first', true)
  const [laptop, phone] = [new Member(kit.app), new Member(kit.app)]
  kit.users.set('1', { ...ANA, password: await hash(PASSWORD.password, COST / 2) })
  await phone.login(1, { remember: true })
  await laptop.submit('/enter', PASSWORD)
  for (const member of [laptop, phone]) {
    member.restart()
    t.equal(await member.read('/me'), 'Ana')
  }
})

t.test('a login after the new hash goes on, and the other devices are logged out', async (t) => {
  for (const { mode, options } of MODES) {
    const kit = await createKitApp(options, { authHash })
    addPasswordLogin(kit, 'rehash first')
    const [laptop, phone] = [new Member(kit.app), new Member(kit.app)]
    kit.users.set('1', { ...ANA, password: await hash(PASSWORD.password, COST / 2) })
    await phone.login(1)
    await laptop.submit('/enter', PASSWORD)
    t.equal(await laptop.read('/me'), 'Ana', mode)
    t.equal(await phone.read('/who'), 'nobody', mode)
  }
})
