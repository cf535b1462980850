/** Runs `run` with this value of `NODE_ENV`. */
export async function inEnvironment<T>(value: string | undefined, run: () => T | Promise<T>): Promise<T> {
  const { NODE_ENV: before } = process.env
  set(value)
  try {
    return await run()
  } finally {
    set(before)
  }
}

function set(value: string | undefined): void {
  if (value === undefined) delete process.env.NODE_ENV
  else process.env.NODE_ENV = value
}
