import t from 'tap'
import { browse } from '../helpers/page-programs.ts'
import { recipeFile, startRecipe } from './start.ts'

interface Passwords {
  hashPassword(password: string): Promise<string>
  verifyPassword(password: string, hash: string | undefined): Promise<boolean>
  isOutdated(hash: string): boolean
}

const OLD = {
  'passwords.ts': 'scrypt$14$8$1$5tVqkq0cWqY9rO1wPz0J8g$unAf8OLqsa8-CmKEgwPUWXVOkFkVj_dFISkndTSHro4',
  'passwords-argon2.ts': '$argon2id$v=19$m=8192,t=2,p=1$c29tZXNhbHQ$zDFoKcpUzVsmVcHUOQ9V/g'
}

for (const [file, old] of Object.entries(OLD)) {
  t.test(file, async (t) => {
    const { hashPassword, verifyPassword, isOutdated }: Passwords = await import(recipeFile('passwords', file))
    const hash = await hashPassword('caf\u00e9')
    t.equal(await verifyPassword('cafe\u0301', hash), true, 'however it is spelt')
    t.equal(await verifyPassword('cafe', hash), false)
    t.equal(await verifyPassword('cafe', undefined), false)
    t.not(await hashPassword('caf\u00e9'), hash, 'salted')
    t.equal(isOutdated(hash), false)
    t.equal(isOutdated(old), true)
  })
}

t.test('a login hashes the password again, and other devices stay logged in', async (t) => {
  const { url } = await startRecipe(t, 'passwords')
  const headers = { 'content-type': 'application/json' }
  const [phone, laptop] = [browse(url, headers), browse(url, headers)]
  const post = async (send: typeof phone, path: string, body: object): Promise<number> =>
    (await send(path, { method: 'POST', body: JSON.stringify(body) })).status
  const me = async (send: typeof phone): Promise<string> => (await send('/me')).text()
  t.equal(await post(phone, '/login', { name: 'ada', password: 'Lovelace' }), 401)
  t.equal(await post(phone, '/login', { name: 'bob', password: 'lovelace' }), 401)
  t.equal(await post(phone, '/login', { name: 'ada', password: 'x'.repeat(257) }), 400)
  t.equal(await post(phone, '/login', { name: 'ada', password: 'lovelace' }), 200)
  t.equal(await me(phone), 'ada, cost 15\n')
  t.equal(await post(laptop, '/login', { name: 'ada', password: 'lovelace' }), 200)
  t.equal(await me(phone), 'ada, cost 15\n')

  t.equal(await post(laptop, '/password', { password: 'byron' }), 200)
  t.equal(await me(laptop), 'ada, cost 15\n')
  t.match(await me(phone), 'ERR_SESSION_LOGIN_REQUIRED')
  t.equal(await post(phone, '/login', { name: 'ada', password: 'lovelace' }), 401)
  t.equal(await post(phone, '/login', { name: 'ada', password: 'byron' }), 200)
})
