import type { Statement } from './driver.ts'

/** A quoted name, a text, or a parameter. */
const PARTS = /"(?:[^"]|"")*"|'(?:[^']|'')*'|\$(\d+)/g

/**
 * Returns a statement with its values in the place of its parameters. A text is written in hexadecimal, so that nothing in it can end
 * the literal, whatever the settings of the server.
 */
export function inline({ text, values }: Statement): string {
  return text.replace(PARTS, (part, number?: string) =>
    number === undefined ? part : literal(values[Number(number) - 1])
  )
}

function literal(value: unknown): string {
  if (value === undefined || value === null) return 'NULL'
  if (typeof value === 'string') return `convert_from(decode('${Buffer.from(value).toString('hex')}', 'hex'), 'UTF8')`
  return `'${Number(value)}'`
}
