/** The numbers from 0 to `length - 1`. */
export function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}

/** An array that holds a value several times. */
export function repeat<T>(value: T, times: number): T[] {
  return range(times).map(() => value)
}
