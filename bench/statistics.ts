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

/** The distance of the quartiles of a normal distribution, in standard deviations. */
const QUARTILES = 1.349
/** The standard error of a median is this much larger than that of a mean. */
const MEDIAN_TO_MEAN: number = Math.sqrt(Math.PI / 2)

/** The standard error of the median. The deviation comes from the quartiles, so that one interrupted slice changes little. */
export function standardError(sample: readonly number[]): number {
  const deviation = (quantile(sample, 0.75) - quantile(sample, 0.25)) / QUARTILES
  return (MEDIAN_TO_MEAN * deviation) / Math.sqrt(sample.length)
}
