import type { Random } from './random.ts'
import { pick } from './random.ts'

/** A change at a random place. `other`: another text, to take a piece from. */
type Mutation = (random: Random, text: string, other: string, tokens: readonly string[]) => string

const MAX_CHANGES = 4
/** More than Node.js accepts as the header of a request. */
const MAX_LENGTH = 65_536

const BASE64URL = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']
const ODD = [...'\0\t\n\r "%+,./;=?\\{}~\u007f\u00a0\u00ad\u00fc\u00ff\u0141\u2028\ud83c\udf6a\ufeff\uffff']

/** Half of the changes are of one character: they come closest to a genuine text. */
const MUTATIONS: readonly Mutation[] = [
  replaceWith((random) => pick(random, BASE64URL)),
  replaceWith((random) => pick(random, ODD)),
  replaceWith((random, code) => String.fromCharCode(code ^ (1 << random(9)))),
  replaceWith((_, code) => String.fromCharCode(code + 256)),
  (random, text) => text.slice(0, -1) + pick(random, BASE64URL),
  replaceWith((_, code) => `%${code.toString(16).padStart(2, '0')}`),
  (random, text) => cut(random, text, () => ''),
  (random, text) => cut(random, text, (piece) => piece + piece),
  (random, text) => cut(random, text, (piece) => [...piece].reverse().join('')),
  (random, text) => cut(random, text, (piece) => piece.toUpperCase()),
  (random, text) => cut(random, text, () => String(random(2 ** 31))),
  (random, text, other) => cut(random, text, () => cut(random, other, () => '')),
  (random, text, other) => text.slice(0, random(text.length + 1)) + other.slice(random(other.length + 1)),
  (random, text, _, tokens) => insert(random, text, pick(random, tokens)),
  (random, text, _, tokens) => cut(random, text, () => pick(random, tokens)),
  (random, text) => text + pick(random, ODD),
  (random, text) => text.slice(0, random(text.length + 1)),
  (random, text) => text.slice(random(text.length + 1)),
  (random, text) => (random(64) === 0 ? text.repeat(1 + random(64)) : text + text),
  swapParts
]

/** Returns a text with one to four random changes. It may be the same text by chance. */
export function mutate(random: Random, text: string, other: string, tokens: readonly string[]): string {
  let changed = text
  // One change is the likeliest number.
  for (let left = 1 + Math.min(random(MAX_CHANGES), random(MAX_CHANGES)); left > 0; left--) {
    changed = pick(random, MUTATIONS)(random, changed, other, tokens)
  }
  return changed.slice(0, MAX_LENGTH)
}

function replaceWith(next: (random: Random, code: number) => string): Mutation {
  return (random, text) => {
    const at = random(text.length)
    return text.slice(0, at) + next(random, text.charCodeAt(at)) + text.slice(at + 1)
  }
}

/** Replaces a piece, mostly a short one. */
function cut(random: Random, text: string, next: (piece: string) => string): string {
  const from = random(text.length + 1)
  const to = from + random(random(4) === 0 ? text.length - from + 1 : 9)
  return text.slice(0, from) + next(text.slice(from, to)) + text.slice(to)
}

function insert(random: Random, text: string, token: string): string {
  const at = random(text.length + 1)
  return text.slice(0, at) + token + text.slice(at)
}

/** Swaps two of the parts that a separator makes. */
function swapParts(random: Random, text: string): string {
  const separator = pick(random, ['.', ';', '&', '\n', ','])
  const parts = text.split(separator)
  const [one, other] = [random(parts.length), random(parts.length)]
  return parts
    .with(one, parts[other] as string)
    .with(other, parts[one] as string)
    .join(separator)
}
