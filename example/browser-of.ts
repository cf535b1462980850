const BROWSERS = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari', 'curl'] as const
const SYSTEMS = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'Linux'] as const
const NAMES: Readonly<Record<string, string>> = { Edg: 'Edge', OPR: 'Opera', 'Mac OS': 'macOS' }

/** Returns a browser name that users recognise, such as `Firefox on Linux`. */
export function browserOf(userAgent = ''): string {
  const find = (names: readonly string[], end: string): string | undefined => {
    const found = names.find((name) => userAgent.includes(name + end))
    return found && (NAMES[found] ?? found)
  }
  const system = find(SYSTEMS, '')
  return `${find(BROWSERS, '/') ?? 'A browser'}${system === undefined ? '' : ` on ${system}`}`
}
