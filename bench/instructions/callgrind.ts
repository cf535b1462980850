/** Where the instructions of a slice went, by function. */
export interface Profile {
  readonly total: number
  /** Of V8's compilers, with all that they call. */
  readonly compiler: number
  /** Of the garbage collector, with all that it calls. */
  readonly garbage: number
  /** Of the block function of SHA-256. Valgrind has no SHA-NI, so it costs ten times as much as on a processor. */
  readonly sha: number
  readonly functions: ReadonlyMap<string, number>
}

/** The name of the function of JavaScript that was compiled to an address. */
export type NameOf = (address: number) => string | undefined

const SHA_BLOCKS = /^sha256_block_data_order/
const COMPILER = /^v8::internal::(Compiler::|Runtime_(Compile|Optimize|BytecodeBudgetInterrupt))/
const GARBAGE = /^v8::internal::Heap::CollectGarbage/
const NAME = /^(ob|fn|cob|cfn)=\((\d+)\)(?: (.*))?$/
const COST = /^(0x[0-9a-f]+|[+-]\d+|\*) \S+(?: (\d+))?$/

/** Reads a dump that callgrind wrote with `--dump-instr=yes` (the callgrind profile format, version 1). */
export function readDump(text: string, nameOf: NameOf): Profile {
  const names = { ob: new Map<string, string>(), fn: new Map<string, string>() }
  const functions = new Map<string, number>()
  let [object, name, callee] = ['', '', '']
  let address = 0
  let isCall = false
  let total = 0
  let compiler = 0
  let garbage = 0
  for (const line of text.split('\n')) {
    const named = NAME.exec(line)
    if (named !== null) {
      const [, kind = '', id = '', given] = named
      const known = kind.endsWith('ob') ? names.ob : names.fn
      if (given !== undefined) known.set(id, given)
      const value = known.get(id) ?? ''
      if (kind === 'ob') object = value
      if (kind === 'fn') name = value
      if (kind === 'cfn') callee = value
      continue
    }
    if (line.startsWith('calls=')) {
      isCall = true
      continue
    }
    const cost = COST.exec(line)
    if (cost === null) continue
    const [, position = '', instructions = '0'] = cost
    if (position.startsWith('0x')) address = Number(position)
    else if (position !== '*') address += Number(position)
    // The line after `calls=` has what the callee cost, which its own lines have too.
    if (isCall) {
      isCall = false
      if (COMPILER.test(callee) && !COMPILER.test(name)) compiler += Number(instructions)
      if (GARBAGE.test(callee) && !GARBAGE.test(name)) garbage += Number(instructions)
      continue
    }
    const key = isUnknown(object, name) ? (nameOf(address) ?? '(unknown code)') : name
    functions.set(key, (functions.get(key) ?? 0) + Number(instructions))
    total += Number(instructions)
  }
  let sha = 0
  for (const [key, instructions] of functions) if (SHA_BLOCKS.test(key)) sha += instructions
  return { total, compiler, garbage, sha, functions }
}

/** Code that V8 made while it ran belongs to no file. */
function isUnknown(object: string, name: string): boolean {
  return object === '???' || object === '' || name.startsWith('0x')
}

/** Reads the list of compiled functions that V8 writes with `--perf-basic-prof`: address, size and name, all but the name in hex. */
export function readPerfMap(text: string): NameOf {
  const byAddress = new Map<number, { readonly end: number; readonly name: string }>()
  for (const line of text.split('\n')) {
    const [, from = '', size = '', name = ''] = /^([0-9a-f]+) ([0-9a-f]+) (.*)$/.exec(line) ?? []
    if (name === '') continue
    const address = Number.parseInt(from, 16)
    byAddress.set(address, { end: address + Number.parseInt(size, 16), name: shorten(name) })
  }
  const addresses = [...byAddress.keys()].sort((a, b) => a - b)
  return (address) => {
    let [low, high] = [0, addresses.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((addresses[middle] as number) <= address) low = middle + 1
      else high = middle
    }
    const found = byAddress.get(addresses[low - 1] ?? Number.NaN)
    return found !== undefined && address < found.end ? found.name : undefined
  }
}

/** `JS:*read file:///home/a/dist/lib/x.js:1:2` becomes `JS:*read lib/x.js:1:2`. */
function shorten(name: string): string {
  return name.replace(/ (file:\/\/)?\/\S*\/(node_modules|dist)\//, ' ')
}
