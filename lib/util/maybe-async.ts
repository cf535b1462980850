/** Goes on with a value: at once where it is there, later where it is promised. A promise costs more than most of what it waits for. */
export function chain<T, Result>(
  value: T | Promise<T>,
  then: (value: T) => Result | Promise<Result>
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(then) : then(value)
}
