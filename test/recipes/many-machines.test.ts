import t from 'tap'
import { startRedis } from '../helpers/redis.ts'
import { cannotTest } from '../helpers/service.ts'
import { startRecipe } from './start.ts'

const OLD = 'the secret of last year on all machines'
const NEW = 'the secret that comes after it on all machines'

t.test('many machines', async (t) => {
  const redis = await startRedis()
  if (redis === undefined) return cannotTest(t, 'many machines', 'no redis-server')
  t.teardown(() => redis.end())
  const machine = async (SESSION_SECRETS: string): Promise<string> =>
    (await startRecipe(t, 'many-machines', { REDIS_URL: `redis://127.0.0.1:${redis.ports[0]}`, SESSION_SECRETS })).url
  const cookieOf = (response: Response): string => response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
  const logIn = async (url: string): Promise<string> => cookieOf(await fetch(`${url}/login`, { method: 'POST' }))
  const visit = (url: string, cookie: string): Promise<Response> => fetch(url, { headers: { cookie } })

  const [before, first, second, third] = await Promise.all([
    machine(OLD),
    machine(`${OLD},${NEW}`),
    machine(`${NEW},${OLD}`),
    machine(NEW)
  ])

  let cookie = await logIn(before)
  const visits = await Promise.all(Array.from({ length: 8 }, (_, index) => visit(index % 2 ? before : first, cookie)))
  t.same(
    visits.map(({ status }) => status),
    Array(8).fill(200)
  )
  t.equal(await (await visit(first, cookie)).text(), 'visit 9 of 7\n', 'two machines count together')
  t.equal(await (await visit(before, await logIn(first))).text(), 'visit 1 of 7\n', 'deploy 1 beside the old state')
  t.equal(await (await visit(first, await logIn(second))).text(), 'visit 1 of 7\n', 'deploy 2 beside deploy 1')
  t.match(await (await visit(before, await logIn(second))).text(), /stranger/, 'deploy 1 left out')

  const renewed = await visit(second, cookie)
  t.equal(await renewed.text(), 'visit 10 of 7\n')
  cookie = cookieOf(renewed)
  t.equal(await (await visit(third, cookie)).text(), 'visit 11 of 7\n', 'deploy 3')

  const logout = await fetch(`${third}/logout`, { method: 'POST', headers: { cookie } })
  t.equal(await logout.text(), '4 sessions ended\n')
  t.match(await (await visit(second, cookie)).text(), /stranger/)
})
