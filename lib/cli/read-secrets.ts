import { readFile } from 'node:fs/promises'
import { resolveSecret } from '../options.ts'
import { usageError } from './cli-error.ts'
import type { CliContext } from './context.ts'

/**
 * Returns the secrets of the server: those in files, or else in `SESSION_SECRETS`, separated by commas, or else in
 * `SESSION_SECRET`. None if there are none. Errors name the place of a secret that is wrong, and never show it.
 */
export async function readSecrets(files: readonly string[], env: CliContext['env']): Promise<Uint8Array[]> {
  const given = await readGiven(files, env)
  return given.map(([name, secret]) => resolveSecret(secret, name))
}

async function readGiven(files: readonly string[], env: CliContext['env']): Promise<[name: string, text: string][]> {
  if (files.length > 0) return Promise.all(files.map(async (file) => [file, await readSecretFile(file)]))
  const { SESSION_SECRETS: several, SESSION_SECRET: one } = env
  if (several) {
    return several.split(',').map((secret, index) => [`Number ${index + 1} of SESSION_SECRETS`, secret.trim()])
  }
  return one ? [['SESSION_SECRET', one]] : []
}

async function readSecretFile(file: string): Promise<string> {
  try {
    // Editors end a file with a line break.
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    throw usageError(`--secret-file ${file} cannot be read: ${(error as NodeJS.ErrnoException).code}.`)
  }
}
