// Gives the error code of importing and of requiring each specifier of the command line.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const codes = {}
for (const specifier of process.argv.slice(2)) {
  const codeOf = (error) => error.code ?? String(error)
  const imported = await import(specifier).then(() => 'resolved', codeOf)
  let required = 'resolved'
  try {
    require(specifier)
  } catch (error) {
    required = codeOf(error)
  }
  codes[specifier] = [imported, required]
}
console.log(JSON.stringify(codes))
