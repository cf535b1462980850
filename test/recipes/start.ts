import { join } from 'node:path'
import type * as Tap from 'tap'
import type { Running } from '../helpers/page-programs.ts'
import { startProgramFile } from '../helpers/page-programs.ts'
import { read, recipeFiles } from '../helpers/pages.ts'

/** Returns the path of a file of a recipe, which prepare.ts has written. */
export function recipeFile(recipe: string, name = 'server.mts'): string {
  return join(import.meta.dirname, '.programs', recipe, name)
}

/** Returns the text of a file of a recipe. */
export function recipeText(recipe: string, name: string): string {
  const file = recipeFiles(read(`docs/recipes/${recipe}.md`)).find((file) => file.name === name)
  if (file === undefined) throw new Error(`docs/recipes/${recipe}.md has no ${name}`)
  return file.code
}

/** Starts the program of a recipe. */
export function startRecipe(
  t: Tap.Test,
  recipe: string,
  settings: Readonly<Record<string, string>> = {}
): Promise<Running> {
  return startProgramFile(t, recipeFile(recipe), settings)
}
