import type { InspectorOptions } from '../../types/inspector.ts'
import { NotInProductionError } from '../errors.ts'
import { assertKnown, isBoolean, isFunction, isString, readOption } from '../util/check.ts'

const OPTION_NAMES: readonly (keyof InspectorOptions)[] = ['path', 'decorator', 'allowInProduction', 'layout']

/** What the user wrote, checked, with every default filled in. */
export interface InspectorSettings extends InspectorOptions {
  readonly path: string
  readonly decorator: string
}

/** `environment`: `NODE_ENV`. */
export function resolveInspectorOptions(options: InspectorOptions, environment: string | undefined): InspectorSettings {
  assertKnown(options, OPTION_NAMES, 'the session inspector')
  const allowInProduction = readOption(
    options.allowInProduction,
    false,
    'allowInProduction',
    'true or false',
    isBoolean
  )
  if (environment === 'production' && !allowInProduction) {
    throw new NotInProductionError(
      'The session inspector shows cookies that scripts must not see, so it does not start with NODE_ENV=production. Register it elsewhere only, or set allowInProduction: true where nobody else can reach it.'
    )
  }
  readOption<unknown>(options.layout, undefined, 'layout', 'a function that gives a page', isFunction)
  return {
    ...options,
    path: readOption(options.path, '/session-inspector', 'path', "a path such as '/session-inspector'", isPath),
    decorator: readOption(options.decorator, 'session', 'decorator', 'a string', isString)
  }
}

/** No parameters and no wildcards. */
function isPath(value: unknown): boolean {
  return typeof value === 'string' && /^(\/[\w.~-]+)+$/.test(value)
}
