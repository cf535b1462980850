import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'

/**
 * Calls `change` when the headers of a reply are about to be sent: after all hooks, after Fastify has copied those of a `Response`,
 * and also if the handler sends them itself. It gets all headers, with names in lower case, and returns those that are to
 * take their place, or undefined.
 *
 * `isSettled`: whether `change` would return undefined for headers that are as Fastify gives them, all at once. To collect them costs
 * more than all else.
 */
export function beforeHeaders(
  raw: ServerResponse,
  change: (headers: OutgoingHttpHeaders, status: number) => OutgoingHttpHeaders | undefined,
  isSettled: (headers: Readonly<Record<string, unknown>>) => boolean = () => false
): void {
  const { writeHead } = raw
  // Node.js calls it for headers that are sent implicitly, too. If it throws, the error reply comes here again.
  raw.writeHead = (status: number, ...rest: unknown[]) => {
    if (raw.headersSent) return Reflect.apply(writeHead, raw, [status, ...rest])
    const [message, parameter = message] = rest
    if (raw.getHeaderNames().length === 0 && isSettled(Object(parameter))) {
      return Reflect.apply(writeHead, raw, [status, ...rest])
    }
    const given = collect(parameter)
    const changed = change({ ...raw.getHeaders(), ...given }, status)
    if (changed === undefined) return Reflect.apply(writeHead, raw, [status, ...rest])
    for (const [name, value] of Object.entries({ ...given, ...changed })) raw.setHeader(name, value as string)
    return Reflect.apply(writeHead, raw, typeof message === 'string' ? [status, message] : [status])
  }
}

/** The headers that writeHead() was given. */
function collect(parameter: unknown): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {}
  if (typeof parameter !== 'object' || parameter === null) return headers
  for (const [name, value] of Array.isArray(parameter) ? pairsOf(parameter) : Object.entries(parameter)) {
    const key = name.toLowerCase()
    headers[key] = Object.hasOwn(headers, key) ? [headers[key] as string, value].flat() : value
  }
  return headers
}

/** Of an array of pairs, as HTTP/2 takes it, or of names and values in turn. */
function pairsOf(list: readonly unknown[]): [name: string, value: string][] {
  if (Array.isArray(list[0])) return list as [string, string][]
  return list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1]] as [string, string]] : []))
}
