const MIN_VARIETY = 8
/** For less than 64 hexadecimal digits: among 32 of them are fewer than eight different ones once in 2^25. */
const MIN_SHORT_VARIETY = 4
const SHORT = 64
/** A shorter text may be chance: 16 random bytes are words once in 2^47. */
const MIN_TEXT = 24
/** A shorter secret is one of another framework. */
const LONG = 32
const MIN_SHORT_TEXT = 16
const HEXADECIMAL = /^(?:[0-9a-f]{2})+$/i
const BASE64 = /^[\w+/-]+={0,2}$/
const KEYBOARD = '1234567890qwertyuiopasdfghjklzxcvbnm'

/** What placeholders and secrets in documentation consist of. */
export const PLACEHOLDER_WORDS: readonly string[] = (
  'a access admin an and api app application at auth be bit bits bigger by bytes cat change changed char character characters ' +
  'chars complex cookie default demo dev development do dummy encryption enough enter example express fastify for generate ' +
  'hard hash hello here in insecure is it jwt key keyboard keys least length letters local localhost long longer master me ' +
  'min minimum more must my needs never new node not now of only or pass passphrase password phrase placeholder please private ' +
  'prod production put random really replace root safe salt sample secret secrets secure server session sessions shared ' +
  'should sign signing site some string strong super temp test testing text than that the thirty this to token two unsafe ' +
  'use user value very web with world you your'
).split(' ')

/** Secrets that everybody can look up, and that the rules do not find: in small letters, without punctuation. */
const SAMPLES: ReadonlySet<string> = new Set([
  'averylogphrasebiggerthanthirtytwochars',
  'correcthorsebatterystaplecorrect',
  'umachavesecretamuitoforteedificildeadivinhar',
  // Of docs/cookie-format.md and test/vectors.
  'vectorsonly4b1f0e7a9c6d28355d0c',
  'vectorsonlydieschlsselvongestern'
])

/**
 * Returns why a secret of 16 characters or bytes or more can be guessed; undefined for one that was made at random. No rule
 * refuses a random secret in practice: for 32 bytes, 64 or 32 hexadecimal digits, 43 characters of base64url and 32 characters of
 * a password manager, each does so less than once in 2^60, and for less than 32 characters less than once in 2^30. The arithmetic
 * is beside each rule: `n` characters, each one of `m`. A test repeats it.
 */
export function weaknessOf(secret: Uint8Array): string | undefined {
  if (secret.length < LONG) return patternOf([secret], MIN_SHORT_TEXT)
  const text = toText(secret)
  const variety = new Set(secret).size
  if (variety < minVariety(text)) return `has only ${variety} different bytes; a random key has far more`
  if (SAMPLES.has(text.replace(/[^a-z0-9]/g, ''))) return 'is a sample from some documentation, known to everyone'
  return patternOf([secret, ...decode(secret)], MIN_TEXT)
}

/** `minText`: the characters from which on words are no chance. */
function patternOf(readings: readonly Uint8Array[], minText: number): string | undefined {
  if (readings.some(isRepetition)) return 'is one piece, repeated'
  if (readings.some(isSequence)) return 'is a sequence, such as 0123456789 or qwertyuiop'
  if (readings.some((reading) => isMadeOfWords(reading, minText))) {
    return 'is made of words that stand in placeholders, such as "change me"'
  }
  return undefined
}

/** Chance of fewer than `v` different characters is less than C(m, v - 1) ((v - 1) / m)^n: for 64 hexadecimal digits 2^-62. */
function minVariety(text: string): number {
  return HEXADECIMAL.test(text) && text.length < SHORT ? MIN_SHORT_VARIETY : MIN_VARIETY
}

/** What a text stands for: a weak key stays weak in another spelling. */
function decode(secret: Uint8Array): Uint8Array[] {
  const text = Buffer.from(secret).toString('latin1')
  if (HEXADECIMAL.test(text)) return [Buffer.from(text, 'hex')]
  return BASE64.test(text) ? [Buffer.from(text, 'base64')] : []
}

/**
 * Whether a piece of at most half the length repeats until the end. A piece of `p` characters decides the other `n - p`, so that
 * chance is less than 2 m^-(n/2): for 32 hexadecimal digits 2^-63.
 */
function isRepetition(bytes: Uint8Array): boolean {
  for (let period = 1; period <= bytes.length / 2; period++) {
    if (bytes.every((byte, index) => index < period || byte === bytes[index - period])) return true
  }
  return false
}

/**
 * Whether all but an eighth of the characters are as far from the one before, by their codes or on the keyboard, as those before
 * were, or equal to it. Whatever came before, at most two of the `m` characters are (four, where a letter may be small or not, and
 * then m is 52 or more). So chance is less than 2 C(n, n/8) (2/m)^(n - 1 - n/8): for 32 hexadecimal digits 2^-64.
 */
function isSequence(bytes: Uint8Array): boolean {
  const keys = Array.from(toText(bytes), (character) => KEYBOARD.indexOf(character))
  return [Array.from(bytes), keys].some((places) => countBreaks(places) <= bytes.length / 8)
}

/** `places`: where each character is, or -1. */
function countBreaks(places: readonly number[]): number {
  let breaks = 0
  let step = 0
  let isBroken = true
  for (let index = 1; index < places.length; index++) {
    const [place = 0, before = 0] = [places[index], places[index - 1]]
    const distance = place - before
    const isKnown = place >= 0 && before >= 0
    if (isKnown && distance === 0) continue
    const continues = isKnown && distance === step
    if (!continues) breaks++
    // A single break, as from 9 to 0, leaves the step as it is.
    if (!continues && isBroken) step = distance
    isBroken = !continues
  }
  return breaks
}

/**
 * Whether a text is a chain of placeholder words, with other characters than letters between them, a third at most. A test counts
 * the chains of each length: chance is less than 2^-65 for 32 characters of any usual kind, and for 24 bytes. A hexadecimal text
 * is no chain of words.
 */
function isMadeOfWords(bytes: Uint8Array, minText: number): boolean {
  const text = toText(bytes)
  if (text.length < minText || HEXADECIMAL.test(text)) return false
  if (text.replace(/[a-z]/g, '').length > text.length / 3) return false
  const reached = new Set([0])
  // A loop over a set visits what is added to it.
  for (const at of reached) {
    if (/[^a-z]/.test(text.charAt(at))) reached.add(at + 1)
    for (const word of PLACEHOLDER_WORDS) {
      if (text.startsWith(word, at)) reached.add(at + word.length)
    }
  }
  return reached.has(text.length)
}

/** One character for each byte, in small letters. Not `toLowerCase`, which changes bytes of other scripts. */
function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
