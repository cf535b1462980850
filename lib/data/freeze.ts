/** Freezes data that were JSON, at every depth. */
export function freezeData<Data extends object>(data: Data): Data {
  const values: object[] = [data]
  // Not by recursion: a store may hold data that are nested deeper than the stack.
  for (const value of values) {
    for (const member of Object.values(Object.freeze(value))) {
      if (typeof member === 'object' && member !== null) values.push(member)
    }
  }
  return data
}
