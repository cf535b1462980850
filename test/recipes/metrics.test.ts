import t from 'tap'
import { browse } from '../helpers/page-programs.ts'
import { blocks, read } from '../helpers/pages.ts'
import { freePort, until } from '../helpers/service.ts'
import { startRecipe } from './start.ts'

t.test('metrics', async (t) => {
  const port = await freePort()
  const { url } = await startRecipe(t, 'metrics', { METRICS_PORT: String(port) })
  const send = browse(url)
  await send('/')
  await send('/')
  const response = await until(() => fetch(`http://127.0.0.1:${port}/metrics`))
  t.match(response.headers.get('content-type'), 'text/plain')
  const [shown = ''] = blocks(read('docs/recipes/metrics.md'), 'console')
  t.equal((await response.text()).trim(), shown.split('\n').slice(1).join('\n').trim())
  t.equal((await fetch(`${url}/metrics`)).status, 404)
})
