import type { DeviceBoundOptions } from '../../types/device-bound.ts'
import { localPath } from '../guard/local-path.ts'
import {
  assertKnown,
  FASTIFY_NAMES,
  isBoolean,
  isString,
  MAX_INTEGER,
  readOption,
  readWholeOption
} from '../util/check.ts'

/** The checked options, with defaults for what was not given. Durations are in seconds. */
export interface DeviceBoundSettings {
  readonly path: string
  readonly refreshEvery: number
  readonly offersToOwners: boolean
  readonly offerAgainAfter: number
  readonly onSkipped: 'refuse' | 'accept'
  readonly decorator: string
}

const NAMES: readonly (keyof DeviceBoundOptions)[] = [
  'path',
  'refreshEvery',
  'offerAtLogin',
  'offerAgainAfter',
  'onSkipped',
  'decorator'
]
const DAY = 86_400
const TEN_MINUTES = 600

/** Throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. */
export function resolveDeviceBoundOptions(options: DeviceBoundOptions): DeviceBoundSettings {
  assertKnown(options, [...NAMES, ...FASTIFY_NAMES], 'device-bound sessions')
  const { path, refreshEvery, offerAtLogin, offerAgainAfter, onSkipped, decorator } = options
  return {
    path: readOption(
      path,
      '/session/device',
      'path',
      "a path such as '/session/device', without a slash at its end",
      isPath
    ),
    refreshEvery: readWholeOption(refreshEvery, TEN_MINUTES, 'refreshEvery', 'seconds', 1, DAY),
    offersToOwners: readOption(offerAtLogin, true, 'offerAtLogin', 'true or false', isBoolean),
    offerAgainAfter: readWholeOption(offerAgainAfter, DAY, 'offerAgainAfter', 'seconds', 0, MAX_INTEGER),
    onSkipped: readOption(onSkipped, 'refuse', 'onSkipped', "'refuse' or 'accept'", isReaction),
    decorator: readOption(decorator, 'session', 'decorator', 'the name of a property', isString)
  }
}

/** One without parameters and wildcards: the browser calls it as it is. */
function isPath(value: unknown): boolean {
  return typeof value === 'string' && localPath(value) === value && /^[^?#:*"]*[^?#:*"/]$/.test(value)
}

function isReaction(value: unknown): boolean {
  return value === 'refuse' || value === 'accept'
}
