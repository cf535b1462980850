/** Returns the value below which `share` of the sample lies, interpolated linearly. NaN for an empty sample. */
function quantile(sample: readonly number[], share: number): number {
  const sorted = sample.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

export function median(sample: readonly number[]): number {
  return quantile(sample, 0.5)
}

/** Half the distance between the quartiles. */
export function spread(sample: readonly number[]): number {
  return (quantile(sample, 0.75) - quantile(sample, 0.25)) / 2
}
