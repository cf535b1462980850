import type { Check, History, Violation } from '../history.ts'
import { answers } from './answers.ts'
import { counts } from './counts.ts'
import { deadlines } from './deadlines.ts'
import { endings } from './endings.ts'
import { kept } from './kept.ts'
import { lastWrite } from './last-write.ts'
import { limit } from './limit.ts'
import { newId } from './new-id.ts'

/** All checks, by the names that the pages use. */
export const CHECKS: Readonly<Record<string, Check>> = {
  counts,
  'last-write': lastWrite,
  endings,
  'new-id': newId,
  kept,
  limit,
  deadlines,
  answers
}

export function judge(history: History): Violation[] {
  return Object.values(CHECKS).flatMap((check) => check(history))
}
