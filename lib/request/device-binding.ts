import type { OpenReason } from '../../types/diagnostics.ts'
import type { DeviceBinding } from '../../types/session.ts'
import { readBinding } from '../format/device.ts'
import type { Extensions } from '../format/extensions.ts'

/** What a session says of its device. `provedAt`: seconds since 1970. */
interface Proved {
  readonly extensions: Extensions
  readonly provedAt: number | undefined
}

/** What `session.device` is. */
export function deviceBindingOf({ extensions, provedAt }: Proved): DeviceBinding | undefined {
  const binding = readBinding(extensions)
  if (binding === undefined) return undefined
  return {
    boundAt: new Date(binding.boundAt * 1000),
    lastProofAt: provedAt === undefined ? undefined : new Date(provedAt * 1000)
  }
}

/**
 * Whether the cookie of a request belongs to a session that goes on without it: under a new id, or as soon as the browser has
 * proved its device. A cookie that takes its place would end that session for its user.
 */
export function goesOnElsewhere(reason: OpenReason): boolean {
  return reason === 'renamed' || reason === 'device-unproven'
}
