// The only augmentation of SessionData in test/, because a program has only one.
import type {} from '../../lib/index.ts'

declare module '../../types/session.ts' {
  interface SessionData {
    visits: number
    userId: number
    name: string
    role: 'admin' | 'guest'
    cart: Record<string, number>
    names: string[]
    nested: { deep: { value: number }[] }
    anything: unknown
    flash: Record<string, string[]>
    returnTo: string
  }
}
