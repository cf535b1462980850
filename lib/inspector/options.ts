import type { InspectorOptions } from '../../types/inspector.ts'
import { NotInDevelopmentError } from '../errors.ts'
import { assertKnown, isBoolean, isFunction, isString, readOption } from '../util/check.ts'

const OPTION_NAMES: readonly (keyof InspectorOptions)[] = ['path', 'decorator', 'allowOutsideDevelopment', 'layout']

/** The checked options of an inspector, with defaults for what was not given. */
export interface InspectorSettings extends InspectorOptions {
  readonly path: string
  readonly decorator: string
}

/** Checks the options of an inspector. `environment`: the value of `NODE_ENV`. */
export function resolveInspectorOptions(options: InspectorOptions, environment: string | undefined): InspectorSettings {
  assertKnown(options, OPTION_NAMES, 'the session inspector')
  const allowOutsideDevelopment = readOption(
    options.allowOutsideDevelopment,
    false,
    'allowOutsideDevelopment',
    'true or false',
    isBoolean
  )
  if (environment !== 'development' && !allowOutsideDevelopment) {
    throw new NotInDevelopmentError(
      'The session inspector shows cookies that scripts must not see, so it starts with NODE_ENV=development only. Register it for development only; or set allowOutsideDevelopment: true if nobody else can reach the page.'
    )
  }
  readOption<unknown>(options.layout, undefined, 'layout', 'a function that returns a page', isFunction)
  return {
    ...options,
    path: readOption(options.path, '/session-inspector', 'path', "a path such as '/session-inspector'", isPath),
    decorator: readOption(options.decorator, 'session', 'decorator', 'a string', isString)
  }
}

/** A path without parameters and wildcards. */
function isPath(value: unknown): boolean {
  return typeof value === 'string' && /^(\/[\w.~-]+)+$/.test(value)
}
