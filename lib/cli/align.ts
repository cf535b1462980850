const GAP = 2
/** One long cell must not push all others out of the window. */
const MAX_WIDTH = 44

/** Returns rows of cells as text in which the columns line up. */
export function align(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.length ?? 0
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.min(MAX_WIDTH, Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd((widths[column] as number) + GAP))
        .join('')
        .trimEnd()
    )
    .join('\n')
}
