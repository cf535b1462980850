/** A shorter text may be a part of any word. It is replaced only between quotes. */
const LEAST_BARE = 3

/**
 * Replaces values of a session in what a validator says of them: some validators quote what they got. `data`: where to look for
 * texts. `value`: the value that the message is about, where to look for numbers as well.
 */
export function redact(message: string, data: unknown, value: unknown): string {
  const texts = leavesOf(data).filter((leaf) => typeof leaf === 'string' && leaf !== '') as string[]
  const numbers = leavesOf(value).filter((leaf) => typeof leaf === 'number')
  // The longest first: one text can be a part of another.
  const spellings = [...new Set(texts.flatMap(spellingsOf))].sort((one, other) => other.length - one.length)
  const withoutTexts = spellings.reduce((text, spelling) => text.replaceAll(spelling, 'a string'), message)
  return numbers.reduce<string>((text, number) => text.replace(tokenOf(number), 'a number'), withoutTexts)
}

function spellingsOf(text: string): string[] {
  const json = JSON.stringify(text)
  // ArkType doubles backslashes before that, within objects and arrays.
  const doubled = JSON.stringify(text.replaceAll('\\', '\\\\'))
  const quoted = [json, doubled, `"${text}"`, `'${text}'`, `\`${text}\``]
  return text.length < LEAST_BARE ? quoted : [...quoted, text, json.slice(1, -1), doubled.slice(1, -1)]
}

/** A number that is no part of a longer one. */
function tokenOf(number: number): RegExp {
  return new RegExp(`(?<![\\w.])${String(number).replace(/[.+]/g, '\\$&')}(?![\\w]|\\.\\d)`, 'g')
}

function leavesOf(value: unknown): (string | number)[] {
  if (typeof value === 'string' || typeof value === 'number') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(leavesOf) : []
}
