import { buildApp } from './app.ts'
import { secretFromEnvironment } from './secret.ts'
import { openStore } from './store.ts'

const port = Number(process.env.PORT ?? 3000)
const { store, close } = await openStore(process.env.SESSION_STORE || 'memory')
const app = await buildApp({ secret: secretFromEnvironment(), store })
app.addHook('onClose', async () => close())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())
console.log(`Listening on ${await app.listen({ host: '127.0.0.1', port })}`)
