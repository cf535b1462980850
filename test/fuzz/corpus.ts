import { readFileSync, writeFileSync } from 'node:fs'

/** A text of the corpus. One that is repeated stands there once, with the number of times. */
type Entry = string | readonly [text: string, times: number]

/** The files of the corpus: what a target takes. */
export type CorpusName = 'cookies' | 'headers' | 'records' | 'paths'

/** Returns the texts of a file of the corpus. */
export function readCorpus(name: CorpusName): string[] {
  return readEntries(name).map((entry) => (typeof entry === 'string' ? entry : entry[0].repeat(entry[1])))
}

/** Adds texts to a file of the corpus. */
export function extendCorpus(name: CorpusName, texts: readonly string[]): void {
  const entries = [...readEntries(name), ...texts]
  writeFileSync(urlOf(name), `[\n${entries.map((entry) => `  ${spell(entry)}`).join(',\n')}\n]\n`)
}

function readEntries(name: CorpusName): Entry[] {
  return JSON.parse(readFileSync(urlOf(name), 'utf8'))
}

/** As Biome formats it. */
function spell(entry: Entry): string {
  return typeof entry === 'string' ? JSON.stringify(entry) : `[${JSON.stringify(entry[0])}, ${entry[1]}]`
}

function urlOf(name: CorpusName): URL {
  return new URL(`corpus/${name}.json`, import.meta.url)
}
