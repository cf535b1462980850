// Puts the packed package beside the packages that the recipes need, writes the files of each recipe into a folder of its own,
// and compiles them.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { RECIPES, ROOT, read, recipeFiles } from '../helpers/pages.ts'

const HERE = import.meta.dirname
const PROGRAMS = join(HERE, '.programs')

/** Compiler options that a recipe needs beside those of tsconfig.json, and why. */
const OPTIONS: Readonly<Record<string, object>> = {
  // The declarations of @fastify/flash import those of @fastify/secure-session, which is not installed.
  flash: { skipLibCheck: true },
  // Those of tap need those of React, and of a newer Node.js.
  testing: { skipLibCheck: true },
  // Those of @fastify/aws-lambda need those of Lambda, which are not installed.
  serverless: { skipLibCheck: true },
  nestjs: { experimentalDecorators: true }
}

/** Packs the package as users install it, so that it and the recipes use one copy of Fastify. */
function installPackage(): void {
  const target = join(HERE, 'node_modules', 'fastify-typed-session')
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  execFileSync('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', target], { cwd: ROOT })
  const tarball = readdirSync(target).find((name) => name.endsWith('.tgz')) ?? ''
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1'], { cwd: target })
}

/** Returns the compiler's project of a recipe. */
function writeProgram(page: string): string {
  const name = basename(page, '.md')
  const folder = join(PROGRAMS, name)
  mkdirSync(folder, { recursive: true })
  const files = recipeFiles(read(page))
  for (const file of files) writeFileSync(join(folder, file.name), file.code)
  const sources = files.map((file) => file.name).filter((file) => /\.m?ts$/.test(file))
  const config = { extends: '../../tsconfig.json', compilerOptions: OPTIONS[name] ?? {}, files: sources }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  return folder
}

installPackage()
rmSync(PROGRAMS, { recursive: true, force: true })
const folders = RECIPES.filter((page) => recipeFiles(read(page)).some(({ name }) => /\.m?ts$/.test(name))).map(
  writeProgram
)
execFileSync(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-b', '--checkers', '1', ...folders], { stdio: 'inherit' })
