import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { buildApp } from './app.ts'

const python = process.env.PYTHON ?? 'python3'
const secretKey = process.env.SECRET_KEY ?? randomBytes(32).toString('hex')
const flask = spawn(python, [join(import.meta.dirname, 'app.py')], {
  env: { ...process.env, SECRET_KEY: secretKey, PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit']
})
flask.once('error', () => console.log(`There is no ${python}: set PYTHON to one that has Flask.`))
process.once('exit', () => flask.kill())

const url = await urlOf(createInterface(flask.stdout))
if (url === undefined) {
  console.log(`Flask does not start. Install it: apt-get install python3-flask, and set PYTHON=/usr/bin/python3.`)
  process.exit(1)
}
const app = await buildApp({ secretKey, flask: url })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
flask.once('exit', stop)
console.log(`Flask listens on ${url}`)
console.log(`Both listen on ${await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) })}`)

function stop(): void {
  flask.kill()
  void app.close()
}

async function urlOf(lines: AsyncIterable<string>): Promise<string | undefined> {
  for await (const line of lines) {
    const [url] = /http:\/\/\S+/.exec(line) ?? []
    if (url !== undefined) return url
  }
  return undefined
}
