import type { FastifyInstance } from 'fastify'
import type { CommonSessionOptions } from 'fastify-typed-session'
import { secretFromEnvironment } from './secret.ts'

const [, , lesson = ''] = process.argv
if (!/^00[0-4]$/.test(lesson)) throw new Error('Which lesson? npm run lesson -- 000, 001, 002, 003 or 004')

// A computed path, which the compiler does not follow: each lesson is a program with a different SessionData.
const { buildApp } = (await import(`./lessons/${lesson}.ts`)) as {
  buildApp(options: CommonSessionOptions): Promise<FastifyInstance>
}
const app = await buildApp({ secret: secretFromEnvironment() })
const port = Number(process.env.PORT ?? 3000)
console.log(`Lesson ${lesson} listens on ${await app.listen({ host: '127.0.0.1', port })}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close())
