/** Returns the names of a comma-separated list, in the order of the list. Throws if one is not known. */
export function choose<Name extends string>(known: readonly Name[], list: string): readonly Name[] {
  return list.split(',').map((asked) => {
    const found = known.find((name) => name === asked)
    if (found === undefined) throw new Error(`Unknown: '${asked}'. Known are ${known.join(', ')}.`)
    return found
  })
}
