/** What a request costs more in one system than in another, in instructions, by where they are spent. */
export type Breakdown = readonly (readonly [place: string, instructions: number])[]

/** A function of JavaScript of this package, and its file. */
const OURS = /^JS:.* (lib\/\S+)\.js:/

const OTHERS: readonly (readonly [pattern: RegExp, place: string])[] = [
  [/^JS:.*(?:wasm|libsodium)/, 'libsodium'],
  [/^JS:.* node:/, 'Node.js'],
  [/^JS:.* (?:fastify|find-my-way)\//, 'Fastify'],
  [/^JS:/, 'the handler and its client'],
  [/^RegExp:/, 'regular expressions'],
  [/^Builtins_/, 'built-in functions of V8'],
  [/[Jj]son/, 'JSON in V8'],
  [/v8::/, 'the rest of V8'],
  [/./, 'native code']
]

/** Sums up what the functions of one system cost more than those of another. The largest sums come first. */
export function breakDown(functions: ReadonlyMap<string, number>, others: ReadonlyMap<string, number>): Breakdown {
  const places = new Map<string, number>()
  const add = (name: string, instructions: number): void => {
    const place = OURS.exec(name)?.[1] ?? OTHERS.find(([pattern]) => pattern.test(name))?.[1] ?? name
    places.set(place, (places.get(place) ?? 0) + instructions)
  }
  for (const [name, instructions] of functions) add(name, instructions)
  for (const [name, instructions] of others) add(name, -instructions)
  return [...places].sort(([, a], [, b]) => b - a)
}
