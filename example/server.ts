import { randomBytes } from 'node:crypto'
import { buildApp } from './app.ts'
import { openStore } from './store.ts'

const port = Number(process.env.PORT ?? 3000)
const { SESSION_SECRET, SESSION_STORE } = process.env
const opened = SESSION_STORE ? await openStore(SESSION_STORE) : undefined
const app = await buildApp({ secret: SESSION_SECRET ?? developmentSecret(), store: opened?.store })
app.addHook('onClose', async () => opened?.close())
console.log(`Listening on ${await app.listen({ host: '127.0.0.1', port })}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())

/** In production a missing secret reaches the plugin, which refuses to start. */
function developmentSecret(): string | undefined {
  if (process.env.NODE_ENV === 'production') return undefined
  console.log('SESSION_SECRET is not set: using a random one, so every restart logs everybody out.')
  return randomBytes(32).toString('hex')
}
