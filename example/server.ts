import { randomBytes } from 'node:crypto'
import { buildApp } from './app.ts'

const port = Number(process.env.PORT ?? 3000)
const app = await buildApp({ secret: process.env.SESSION_SECRET ?? developmentSecret() })
console.log(`Listening on ${await app.listen({ host: '127.0.0.1', port })}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())

/** In production a missing secret reaches the plugin, which refuses to start. */
function developmentSecret(): string | undefined {
  if (process.env.NODE_ENV === 'production') return undefined
  console.log('SESSION_SECRET is not set: using a random one, so every restart logs everybody out.')
  return randomBytes(32).toString('hex')
}
