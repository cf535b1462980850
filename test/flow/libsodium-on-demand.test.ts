import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Registers the plugin in a process in which nobody can import libsodium, and prints what becomes of it. */
function register(options: string): string {
  const hooks = `export const resolve = (name, context, next) => {
    if (name === 'libsodium') throw new Error('libsodium was asked for')
    return next(name, context)
  }`
  const program = `
    import { register } from 'node:module'
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}))
    const { default: fastify } = await import('fastify')
    const { default: session, MemoryStore } = await import('./lib/index.ts')
    const secret = 'correct horse battery staple 0123456789'
    try {
      await fastify().register(session, { secret, ${options} })
      console.log('registered')
    } catch ({ message }) {
      console.log(message)
    }`
  const args = ['--no-warnings', '--import=./test/helpers/strip-types.mjs', '--input-type=module', '-e', program]
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' })
  return stdout.trim() || stderr
}

t.test('only a session whose cookie is encrypted loads libsodium', async (t) => {
  t.equal(register(''), 'registered')
  t.equal(register('store: new MemoryStore()'), 'registered')
  t.equal(register('encrypt: true'), 'libsodium was asked for')
})
