const MAX_PAUSE_MILLISECONDS = 25

/** Longer after each attempt, and not the same for two that conflict. */
export function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(attempt, MAX_PAUSE_MILLISECONDS)))
}
