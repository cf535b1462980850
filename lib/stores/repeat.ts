import { setTimeout as pause } from 'node:timers/promises'

/** The longest pause between two attempts, in milliseconds. */
const LONGEST_PAUSE = 32

/** Tries until it succeeds, or `assertRepeatable` throws. */
export async function repeat<T>(attempt: () => Promise<T>, assertRepeatable: (error: unknown) => void): Promise<T> {
  let longestPause = 1
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      assertRepeatable(error)
      await pause(Math.random() * longestPause)
      longestPause = Math.min(2 * longestPause, LONGEST_PAUSE)
    }
  }
}
