const GAP = 2
/** One long cell must not push all others out of the window. */
const MAX_WIDTH = 44

/** Returns rows of cells as text in which the columns line up. */
export function align(rows: readonly (readonly string[])[]): string {
  const widths: number[] = []
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, Math.min(MAX_WIDTH, cell.length))
    })
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd((widths[column] as number) + GAP))
        .join('')
        .trimEnd()
    )
    .join('\n')
}
