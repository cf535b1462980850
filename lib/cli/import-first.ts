import { CliError } from './cli-error.ts'

/**
 * Returns what the first of some packages that is installed gives. They are optional: an application has the one of its store.
 * `purpose`: what needs one of them.
 */
export async function importFirst<T>(
  purpose: string,
  packages: Readonly<Record<string, () => Promise<T>>>
): Promise<T> {
  for (const load of Object.values(packages)) {
    try {
      return await load()
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  const names = Object.keys(packages)
  throw new CliError(
    `${purpose} needs the package ${names.join(' or ')}, which is not installed. Run the command in the folder of your application, or: npm install ${names.at(-1)}`,
    1
  )
}

/** `ERR_UNKNOWN_BUILTIN_MODULE`: `node:sqlite` in an older Node.js. */
function isMissing(error: unknown): boolean {
  return ['ERR_MODULE_NOT_FOUND', 'ERR_UNKNOWN_BUILTIN_MODULE'].includes(String((error as { code?: unknown }).code))
}
