import type { Settings } from './options.ts'

const kSettings = Symbol('settings')

/** Puts the settings of a session behind an object, `app.sessions`, for other parts of this package and for nobody else. */
export function hideSettings(sessions: object, settings: Settings): void {
  Object.defineProperty(sessions, kSettings, { value: settings })
}

/** The settings that were put behind an object; undefined for any other value. */
export function findSettings(sessions: unknown): Settings | undefined {
  // Only `hideSettings` knows the symbol.
  return Reflect.get(Object(sessions), kSettings) as Settings | undefined
}
