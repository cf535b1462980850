/** Returns a function whose promises resolve when it has been called `count` times. */
export function barrier(count: number): () => Promise<void> {
  let missing = count
  let open = (): void => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  return async () => {
    missing--
    if (missing === 0) open()
    await gate
  }
}
