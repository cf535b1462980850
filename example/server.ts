import { join } from 'node:path'
import { buildApp } from './app.ts'
import { openCertificate } from './certificate.ts'
import { secretFromEnvironment } from './secret.ts'
import { openStore } from './store.ts'

const port = Number(process.env.PORT ?? 3000)
const isSecure = process.argv.includes('--https')
const certificate = isSecure ? openCertificate(join(import.meta.dirname, '.certificate'), ['localhost']) : undefined
const { store, close } = await openStore(process.env.SESSION_STORE || 'memory')
const app = await buildApp({ secret: secretFromEnvironment(), store, https: certificate?.https })
app.addHook('onClose', async () => close())
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())

const url = await app.listen({ host: '127.0.0.1', port })
if (certificate === undefined) console.log(`Listening on ${url}`)
else {
  console.log(`Listening on https://localhost:${port}`)
  console.log(
    `A browser binds sessions if it trusts the authority in ${certificate.authorityFile}: see example/README.md`
  )
}
