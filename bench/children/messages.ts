import type { RouteName } from './setting.ts'

/** To `cpu.ts`, which answers each message with one number. */
export type CpuRequest =
  | { readonly ask: 'slice'; readonly route: RouteName; readonly requests: number }
  | { readonly ask: 'listen' }
  | { readonly ask: 'cpu' }

/** To `client.ts`, which answers when all replies are there. */
export interface ClientRequest {
  readonly route: RouteName
  readonly requests: number
}
