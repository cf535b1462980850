import t from 'tap'
import { browse, startProgramFile } from '../helpers/page-programs.ts'
import { recipeFile } from './start.ts'

for (const file of ['server.mts', 'zod.mts']) {
  t.test(file, async (t) => {
    const { url } = await startProgramFile(t, recipeFile('schemas', file))
    const send = browse(url, { 'content-type': 'application/json' })
    const post = (path: string, body: object): Promise<Response> =>
      send(path, { method: 'POST', body: JSON.stringify(body) })
    t.equal((await post('/cart', { item: 'tea', count: 1 })).status, 401)
    t.equal((await post('/login', { name: 'ada' })).status, 400)
    t.equal((await post('/login', { name: 'ada', password: 'byron' })).status, 401)
    t.equal((await post('/login', { name: 'ada', password: 'lovelace' })).status, 200)
    t.same(await (await post('/cart', { item: 'tea', count: 1 })).json(), { tea: 1 })
    t.same(await (await post('/cart', { item: 'tea', count: 2 })).json(), { tea: 3 })
    t.equal((await post('/cart', { item: 'tea', count: 100 })).status, 400)
    t.equal((await post('/cart', { item: 'x'.repeat(21), count: 1 })).status, 400)
  })
}
