import t from 'tap'
import { browse } from '../helpers/page-programs.ts'
import { startRecipe } from './start.ts'

t.test('csrf', async (t) => {
  const { url } = await startRecipe(t, 'csrf')
  const send = browse(url)
  const tokenOf = async (page: Promise<Response>): Promise<string> =>
    /name="_csrf" value="([\w.-]+)"/.exec(await (await page).text())?.[1] ?? ''
  const post = async (body: Record<string, string>, headers: Record<string, string> = {}): Promise<unknown> => {
    const response = await fetch(`${url}/color`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: await cookie(), ...headers },
      body: new URLSearchParams(body)
    })
    return response.status === 303 ? 303 : ((await response.json()) as { code: string }).code
  }
  let sent = ''
  const cookie = async (): Promise<string> => sent
  const first = await fetch(`${url}/`)
  sent = first.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
  const token = await tokenOf(Promise.resolve(first))

  t.equal(await post({ color: 'red' }), 'FST_CSRF_INVALID_TOKEN')
  t.equal(await post({ color: 'red', _csrf: await tokenOf(send('/')) }), 'FST_CSRF_INVALID_TOKEN', 'of another session')
  t.equal(await post({ color: 'red', _csrf: token }, { cookie: '' }), 'FST_CSRF_MISSING_SECRET')
  t.equal(await post({ color: 'red', _csrf: token }, { 'sec-fetch-site': 'cross-site' }), 'ERR_SESSION_CROSS_SITE')
  t.equal(await post({ color: 'red', _csrf: token }, { origin: 'https://other.example' }), 'ERR_SESSION_CROSS_SITE')
  t.equal(await post({ color: 'red', _csrf: token }), 303)
  t.equal(await post({ color: 'red' }, { 'csrf-token': token }), 303, 'in a header')

  const login = await fetch(`${url}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: sent, 'csrf-token': token }
  })
  t.equal(login.status, 303)
  sent = login.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
  t.equal(await post({ color: 'blue', _csrf: token }), 'FST_CSRF_MISSING_SECRET', 'a token from before the login')
})
