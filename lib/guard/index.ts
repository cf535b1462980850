import type { Guards } from '../../types/guard.ts'
import { guardsFor } from './checks.ts'

const guards: Guards = guardsFor('session')

export const requireSession: Guards['requireSession'] = guards.requireSession
export const loginRequired: Guards['loginRequired'] = guards.loginRequired
export const safeNext: Guards['safeNext'] = guards.safeNext
