import t from 'tap'
import { recipeFile, startRecipe } from './start.ts'

interface Client {
  me: { query(): Promise<{ id: number; cart: string[] }> }
  add: { mutate(item: string): Promise<number> }
}

t.test('tRPC', async (t) => {
  const { url } = await startRecipe(t, 'trpc')
  const { connect } = (await import(recipeFile('trpc', 'client.ts'))) as {
    connect(url: string, headers?: Record<string, string>): Client
  }
  const post = (path: string, headers: Record<string, string> = {}, body = '{}'): Promise<Response> =>
    fetch(`${url}/trpc/${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })
  const cookieOf = (response: Response): string => response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''

  await t.rejects(connect(`${url}/trpc`).me.query(), /UNAUTHORIZED/)
  t.equal((await post('login', { origin: 'https://other.example' })).status, 403)
  const login = await post('login')
  t.equal(login.status, 200)
  let cookie = cookieOf(login)
  t.same(await connect(`${url}/trpc`, { cookie }).me.query(), { id: 7, cart: [] })

  const added = await post('add,add?batch=1', { cookie }, '{"0":"tea","1":"milk"}')
  t.match(await added.json(), [{ result: { data: 1 } }, { result: { data: 2 } }])
  cookie = cookieOf(added)
  t.same((await connect(`${url}/trpc`, { cookie }).me.query()).cart, ['tea', 'milk'])
  t.equal(await connect(`${url}/trpc`, { cookie }).add.mutate('bread'), 3)

  const streamed = await post('login?batch=1', { 'trpc-accept': 'application/jsonl' }, '{"0":{}}')
  t.equal(streamed.status, 200)
  await streamed.text()
  t.same(streamed.headers.getSetCookie(), [], 'a streaming link loses the login')

  t.match((await post('logout', { cookie })).headers.getSetCookie(), [/Max-Age=0/])
})
