import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'

const MODULES = new URL('../../node_modules/', import.meta.url)

// What was stripped once is read from a cache: a run starts some two hundred processes, and each would load the stripper, which
// is WebAssembly, and strip the same sources again. `npm ci` removes the cache.
const { version } = JSON.parse(await readFile(new URL('amaro/package.json', MODULES), 'utf8'))
const CACHE = new URL(`.cache/strip-types/amaro-${version}/`, MODULES)
await mkdir(CACHE, { recursive: true })

export async function load(url, context, nextLoad) {
  if (!url.endsWith('.ts')) return nextLoad(url, context)
  return { format: 'module', source: await strip(await readFile(new URL(url), 'utf8')), shortCircuit: true }
}

async function strip(source) {
  const cached = new URL(`${createHash('sha256').update(source).digest('hex')}.js`, CACHE)
  try {
    return await readFile(cached, 'utf8')
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  const { transformSync } = await import('amaro')
  const { code } = transformSync(source, { mode: 'strip-only' })
  // Written under a name of its own first: another process must never read half a file.
  const draft = new URL(`${process.pid}-${performance.now()}`, CACHE)
  await writeFile(draft, code)
  await rename(draft, cached)
  return code
}
