/** Lets nobody through before so many have come. */
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
