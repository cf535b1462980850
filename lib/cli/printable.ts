/**
 * Escapes characters as JSON does: a forged cookie must not send commands to the terminal, nor change the order in which the
 * terminal shows other text.
 */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (characters) =>
    Array.from({ length: characters.length }, (_, index) => escaped(characters.charCodeAt(index))).join('')
  )
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}
