import type { ServerResponse } from 'node:http'

/**
 * Runs `change` when the headers of a reply are about to be sent: after all hooks, after Fastify has copied those of a `Response`,
 * and also if the handler sends them itself. All headers are then on `raw`, where `change` can read and set them.
 */
export function beforeHeaders(raw: ServerResponse, change: (status: number) => void): void {
  const { writeHead } = raw
  // Node.js calls it for headers that are sent implicitly, too. If it throws, the error reply comes here again.
  raw.writeHead = (status: number, ...rest: unknown[]) => {
    if (raw.headersSent) return Reflect.apply(writeHead, raw, [status, ...rest])
    const [message, given = message] = rest
    setAll(raw, given)
    change(status)
    return Reflect.apply(writeHead, raw, typeof message === 'string' ? [status, message] : [status])
  }
}

/** What writeHead() is given takes the place of what is there. */
function setAll(raw: ServerResponse, given: unknown): void {
  if (typeof given !== 'object' || given === null) return
  const isSet = new Set<string>()
  for (const [name, value] of Array.isArray(given) ? pairsOf(given) : Object.entries(given)) {
    const key = name.toLowerCase()
    if (isSet.has(key)) raw.appendHeader(name, value)
    else raw.setHeader(name, value)
    isSet.add(key)
  }
}

/** Of an array of pairs, as HTTP/2 takes it, or of names and values in turn. */
function pairsOf(list: readonly unknown[]): [name: string, value: string | string[]][] {
  if (Array.isArray(list[0])) return list as [string, string][]
  return list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1]] as [string, string]] : []))
}
