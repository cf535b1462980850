import t from 'tap'
import { browse } from '../helpers/page-programs.ts'
import { startRecipe } from './start.ts'

t.test('server-sent events', async (t) => {
  const { url } = await startRecipe(t, 'server-sent-events', { INTERVAL: '100' })
  const send = browse(url)
  t.equal((await send('/news')).status, 401)
  await send('/login', { method: 'POST' })

  const stream = await send('/news')
  t.match(stream.headers.get('content-type'), 'text/event-stream')
  const events: string[] = []
  const chunks = (stream.body as ReadableStream<Uint8Array>).getReader()
  const next = async (): Promise<string> => {
    const { value } = await chunks.read()
    return value === undefined ? 'closed' : Buffer.from(value).toString()
  }
  t.equal(await next(), 'retry: 10000\n\n')
  t.equal(await next(), 'data: {"unread":0}\n\n')
  t.equal(await (await send('/messages', { method: 'POST' })).text(), '1')
  while (events.at(-1) !== 'data: {"unread":1}\n\n' && events.length < 50) events.push(await next())
  t.equal(events.at(-1), 'data: {"unread":1}\n\n')

  await send('/logout', { method: 'POST' })
  while (events.at(-1) !== 'closed' && events.length < 100) events.push(await next())
  t.same(events.slice(-2), ['event: end\ndata: logged out\n\n', 'closed'])
  t.equal((await send('/news')).status, 401)
})
