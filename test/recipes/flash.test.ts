import t from 'tap'
import { browse, startProgramFile } from '../helpers/page-programs.ts'
import { recipeFile, startRecipe } from './start.ts'

t.test('flash', async (t) => {
  const send = browse((await startRecipe(t, 'flash')).url)
  const page = async (): Promise<string> => (await send('/')).text()
  t.notMatch(await page(), /status/)
  await send('/login', { method: 'POST' })
  t.match(await page(), /<p role="status">Welcome back.<\/p>.*Log out/)
  t.notMatch(await page(), /status/, 'once')
  t.same((await send('/')).headers.getSetCookie(), [], 'a page without messages sends no cookie')
  await send('/logout', { method: 'POST' })
  t.match(await page(), /<p role="status">You are logged out.<\/p>.*Log in/)
  t.notMatch(await page(), /status/)
})

t.test('flash with @fastify/flash', async (t) => {
  const send = browse((await startProgramFile(t, recipeFile('flash', 'flash.mts'))).url)
  t.same(await (await send('/')).json(), {})
  await send('/logout', { method: 'POST' })
  t.same(await (await send('/')).json(), { info: ['You are logged out.'] })
  t.same(await (await send('/')).json(), {})
})
