import t from 'tap'
import { browse, startProgramFile } from '../helpers/page-programs.ts'
import { recipeFile } from './start.ts'

t.test('NestJS', async (t) => {
  const settings = { TSX_TSCONFIG_PATH: recipeFile('nestjs', 'tsconfig.json') }
  const { url } = await startProgramFile(t, recipeFile('nestjs', 'main.ts'), settings)
  const send = browse(url)
  t.equal(await (await send('/')).text(), 'visit 1')
  t.equal(await (await send('/')).text(), 'visit 2')
  t.equal((await send('/me')).status, 401)
  const login = await send('/login', { method: 'POST' })
  t.equal(login.status, 200)
  t.equal(await (await send('/me')).text(), 'user 7')
  t.equal(await (await send('/')).text(), 'visit 3')
  t.equal((await browse(url, { origin: 'https://other.example' })('/login', { method: 'POST' })).status, 403)
  t.equal((await send('/logout', { method: 'POST' })).status, 200)
  t.equal((await send('/me')).status, 401)
})
