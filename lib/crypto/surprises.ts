const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'
const KEYBOARD_ROWS = [
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'qwertzuiop',
  'yxcvbnm',
  'azertyuiop',
  'qsdfghjklm',
  'wxcvbn'
]
const ROWS: readonly string[] = [...KEYBOARD_ROWS, ...KEYBOARD_ROWS.map((row) => [...row].reverse().join(''))]

/** Words of which people make secrets that only look long. */
const COMMON_WORDS =
  /at[^a-z0-9]*least|change|chars|characters|cookie|default|development|example|keyboard|key|length|long|minimum|must|pass|password|please|production|random|replace|secret|secure|session|should|sign|signing|string|super|test|that|this|token|very|with|word|your/y

/** Shorter runs are in random text, too. */
const MIN_RUN = 4

/**
 * Counts the characters of a text in small letters that do not follow from those before them. A repetition of what was there
 * before, a sequence (`0123`, `ddccbbaa`, `qwerty`) or a common word counts as one character.
 */
export function countSurprises(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; count++) at += Math.max(1, runAt(text, at))
  return count
}

function runAt(text: string, at: number): number {
  const run = Math.max(repetitionAt(text, at), sequenceAt(text, at), keyboardRunAt(text, at))
  COMMON_WORDS.lastIndex = at
  return Math.max(run < MIN_RUN ? 0 : run, COMMON_WORDS.exec(text)?.[0].length ?? 0)
}

/** The length of the longest text from `at` on that also begins further left. */
function repetitionAt(text: string, at: number): number {
  let longest = 0
  for (let from = 0; from < at; from++) {
    let length = 0
    while (at + length < text.length && text[from + length] === text[at + length]) length++
    longest = Math.max(longest, length)
  }
  return longest
}

/** The length of a run whose characters are each the same as the one before, or the next one in one direction. */
function sequenceAt(text: string, at: number): number {
  return Math.max(stepsAt(text, at, 1), stepsAt(text, at, -1))
}

function stepsAt(text: string, at: number, direction: 1 | -1): number {
  let length = 1
  let rank = ALPHABET.indexOf(text.charAt(at))
  for (; rank !== -1 && at + length < text.length; length++) {
    const next = ALPHABET.indexOf(text.charAt(at + length))
    if (next === -1 || (next !== rank && next !== rank + direction)) break
    rank = next
  }
  return length
}

function keyboardRunAt(text: string, at: number): number {
  let length = 1
  while (at + length < text.length && ROWS.some((row) => row.includes(text.slice(at, at + length + 1)))) length++
  return length
}
