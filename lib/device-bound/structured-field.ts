/** A string or a token with its parameters, as structured fields have them (RFC 9651, sections 3.1.2 and 3.3). */
export interface Item {
  readonly value: string
  readonly parameters: Readonly<Record<string, string>>
}

const SPACES = /[ ]*/y
const BLANKS = /[ \t]*/y
const STRING = /"((?:[ !#-[\]-~]|\\["\\])*)"/y
const TOKEN = /[A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*/y
const KEY = /[a-z*][a-z0-9_\-.*]*/y

/**
 * Parses a field with one item. Browsers write the fields of device-bound sessions with quotes or without, so that a string and a
 * token with the same characters are the same here. Undefined for any other text.
 */
export function parseItem(text: string): Item | undefined {
  const [item, ...others] = parseList(text) ?? []
  return others.length === 0 ? item : undefined
}

/** Parses a field with a list of strings and tokens. Undefined if it has another spelling, or is empty. */
export function parseList(text: string): readonly Item[] | undefined {
  const reader = new Reader(text)
  const items: Item[] = []
  reader.read(SPACES)
  do {
    reader.read(BLANKS)
    const item = readItem(reader)
    if (item === undefined) return undefined
    items.push(item)
    reader.read(BLANKS)
  } while (reader.skip(','))
  return reader.isAtEnd ? items : undefined
}

function readItem(reader: Reader): Item | undefined {
  const value = readValue(reader)
  if (value === undefined) return undefined
  // Without a prototype, so that no key means anything else.
  const parameters: Record<string, string> = Object.create(null)
  while (reader.skip(';')) {
    reader.read(SPACES)
    const key = reader.read(KEY)?.[0]
    const argument = key !== undefined && reader.skip('=') ? readValue(reader) : ''
    if (key === undefined || argument === undefined) return undefined
    parameters[key] = argument
  }
  return { value, parameters }
}

function readValue(reader: Reader): string | undefined {
  const quoted = reader.read(STRING)?.[1]
  return quoted === undefined ? reader.read(TOKEN)?.[0] : quoted.replace(/\\(.)/g, '$1')
}

/** Writes a string (RFC 9651, section 4.1.6). `value`: printable ASCII without quotes and backslashes. */
export function writeString(value: string): string {
  return `"${value}"`
}

/** Goes through a text from its start to its end. */
class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length
  }

  /** Goes on behind what a sticky pattern matches here. */
  read(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (match === null) return undefined
    this.#at = pattern.lastIndex
    return match
  }

  /** Goes on behind a character, if it is here. Returns whether it was. */
  skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }
}
