/** A cookie value that somebody changed, and what they did to it. */
export interface Tampered {
  readonly how: string
  readonly text: string
}

/** Every character that a Cookie header can carry, and a few that it cannot. */
export const CHARACTERS: readonly string[] = [
  ...Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)),
  '\u2028',
  '\ud83c'
]

/** One character at a time becomes another one. */
export function* replaceEach(text: string): Generator<Tampered & { readonly at: number }> {
  for (let at = 0; at < text.length; at++) {
    for (const character of CHARACTERS) {
      if (character === text[at]) continue
      yield {
        at,
        how: `${JSON.stringify(character)} at ${at}`,
        text: text.slice(0, at) + character + text.slice(at + 1)
      }
    }
  }
}

/** Everything else that can be done to a cookie value without knowing the key. */
export function* tamper(text: string, stranger: string): Generator<Tampered> {
  for (const tampered of [...reshape(text), ...respell(text), ...swapParts(text, stranger)]) {
    if (tampered.text !== text) yield tampered
  }
}

function* reshape(text: string): Generator<Tampered> {
  for (let at = 0; at < text.length; at++) {
    const [before, character, after] = [text.slice(0, at), text[at], text.slice(at + 1)]
    yield { how: `dropped the character at ${at}`, text: before + after }
    yield { how: `doubled the character at ${at}`, text: `${before}${character}${character}${after}` }
    yield { how: `swapped ${at} with the next`, text: `${before}${after[0] ?? ''}${character}${after.slice(1)}` }
    yield { how: `cut at ${at}`, text: before }
    yield { how: `started at ${at}`, text: text.slice(at) }
    yield { how: `turned at ${at}`, text: text.slice(at) + before }
    for (const junk of JUNK)
      yield { how: `${JSON.stringify(junk)} put in at ${at}`, text: before + junk + text.slice(at) }
  }
  for (const junk of [...JUNK, text, `.${text}`, 'x'.repeat(5000)]) {
    yield { how: `${JSON.stringify(junk.slice(0, 20))} appended`, text: text + junk }
  }
}

const JUNK = [
  'A',
  '=',
  '==',
  '.',
  '-',
  '+',
  '/',
  '%',
  ' ',
  '\t',
  '\n',
  '\0',
  '"',
  ';',
  ',',
  '{',
  '\u00a0',
  '\ufeff',
  'é'
]

function* respell(text: string): Generator<Tampered> {
  yield { how: 'in capitals', text: text.toUpperCase() }
  yield { how: 'in small letters', text: text.toLowerCase() }
  yield { how: 'in the other alphabet', text: text.replaceAll('-', '+').replaceAll('_', '/') }
  yield { how: 'backwards', text: [...text].reverse().join('') }
  for (const quote of ['"', "'", '`']) yield { how: `in ${quote}`, text: quote + text + quote }
  yield { how: 'as @fastify/cookie signs', text: `s:${text}` }
  yield { how: 'percent-encoded', text: [...text].map(percent).join('') }
  for (const [at, character] of [...text].entries()) {
    yield { how: `percent-encoded at ${at}`, text: text.slice(0, at) + percent(character) + text.slice(at + 1) }
  }
  const parts = text.split('.')
  for (const [index, part] of parts.entries()) {
    for (const padding of ['=', '==', '===']) {
      yield { how: `part ${index} padded`, text: parts.with(index, part + padding).join('.') }
    }
    const bytes = Buffer.from(part, 'base64url')
    yield { how: `part ${index} in standard base64`, text: parts.with(index, bytes.toString('base64')).join('.') }
    yield { how: `part ${index} in hex`, text: parts.with(index, bytes.toString('hex')).join('.') }
    yield { how: `part ${index} decoded`, text: parts.with(index, bytes.toString('latin1')).join('.') }
  }
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16)}`
}

function* swapParts(text: string, stranger: string): Generator<Tampered> {
  const parts = text.split('.')
  const others = stranger.split('.')
  for (const [index, part] of parts.entries()) {
    yield { how: `part ${index} dropped`, text: parts.toSpliced(index, 1).join('.') }
    yield { how: `part ${index} emptied`, text: parts.with(index, '').join('.') }
    yield { how: `part ${index} twice`, text: parts.toSpliced(index, 0, part).join('.') }
    for (const [other, strange] of others.entries()) {
      yield { how: `part ${index} from part ${other} of another cookie`, text: parts.with(index, strange).join('.') }
    }
    for (const other of parts.keys()) {
      const swapped = parts.with(index, parts[other] as string).with(other, part)
      yield { how: `parts ${index} and ${other} swapped`, text: swapped.join('.') }
    }
  }
  yield { how: 'parts backwards', text: parts.toReversed().join('.') }
  yield { how: 'parts joined', text: parts.join('') }
}
