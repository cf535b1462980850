import type { Check } from '../history.ts'

/** A fault is answered with 503, an end with the answer for strangers, and nothing with any other failure. */
export const answers: Check = ({ entries }) =>
  entries.flatMap((entry) =>
    entry.outcome.kind === 'wrong'
      ? [{ check: 'answers', text: `${entry.operation.kind} was answered ${entry.outcome.text}`, entries: [entry] }]
      : []
  )
