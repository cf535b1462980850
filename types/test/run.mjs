// Compiles the type tests against the built package, by its name, under the newest TypeScript; with `--all` under every supported
// one. With `--mutants` it proves that they can fail: each mutant is a copy of the package with one mistake in its declarations,
// and must be noticed.
//
// A program is a folder. What must not compile is marked in its sources: see `wantedErrors` in compile.mjs.

import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { differences, inPairs, openCompiler, wantedErrors } from './compile.mjs'
import { inspectDeclarations, inspectEditor } from './declarations.mjs'
import { MUTANTS } from './mutants.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const require = createRequire(import.meta.url)

const COMPILERS = {
  5.5: 'typescript-5.5',
  5.9: 'typescript-5.9',
  '6.0': 'typescript-6.0',
  '7.0': 'typescript'
}
const NEWEST = '7.0'

/** Settings as an application with a bundler has them; the other programs have nodenext and every strict setting on. */
const RELAXED = ['--module', 'esnext', '--moduleResolution', 'bundler', '--verbatimModuleSyntax', 'false']
const INEXACT = ['--exactOptionalPropertyTypes', 'false']

const PROGRAMS = [
  { name: 'session', folder: 'session' },
  { name: 'session, bundler', folder: 'session', args: [...RELAXED, ...INEXACT] },
  { name: 'bare', folder: 'bare' },
  { name: 'two-files', folder: 'two-files' },
  { name: 'two-files, bundler', folder: 'two-files', args: RELAXED, versions: [NEWEST] },
  { name: 'commonjs', folder: 'commonjs' },
  { name: 'commonjs, node20', folder: 'commonjs', args: ['--module', 'node20'], versions: ['5.9', '6.0', NEWEST] },
  { name: 'guards', folder: 'guards' },
  { name: 'guards, bundler', folder: 'guards', args: RELAXED, versions: [NEWEST] },
  { name: 'schema', folder: 'schema' },
  { name: 'login', folder: 'login' },
  { name: 'passport', folder: 'passport' },
  { name: 'refused', folder: 'refused' }
]

const provesTests = process.argv.includes('--mutants')
const versions = process.argv.includes('--all') ? Object.keys(COMPILERS) : [NEWEST]
const failures = []
/** Folders that fail as they are, so that they prove nothing about a mutant. */
const broken = new Set()
const started = performance.now()

if (!existsSync(join(root, 'dist', 'lib', 'index.d.ts'))) {
  console.error('There is no dist/lib/index.d.ts: run `npm run build` first.')
  process.exit(1)
}
const compilers = findCompilers()
// A program that fails as it is would notice every mutant.
await compilePrograms(versions)
if (provesTests) await killMutants()
else inspectPublicTypes()
console.log(`${Math.round((performance.now() - started) / 100) / 10} s`)
if (failures.length > 0) {
  console.error(`\n${failures.length} failed:\n${failures.join('\n')}`)
  process.exit(1)
}

function findCompilers() {
  const found = {}
  for (const [version, name] of Object.entries(COMPILERS)) {
    const folder = join(root, 'node_modules', name)
    const manifest = join(folder, 'package.json')
    const actual = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : 'missing'
    if (!actual.startsWith(`${version}.`)) {
      console.error(`node_modules/${name} should be TypeScript ${version}; it is ${actual}. Run \`npm ci\`.`)
      process.exit(1)
    }
    found[version] = { folder, actual, native: version === NEWEST }
  }
  return found
}

async function compilePrograms() {
  // The native compiler is a process for each program. Those in JavaScript stay warm: a worker compiles one program after another.
  const tasks = versions.flatMap((version) => {
    const programs = PROGRAMS.filter((program) => program.versions?.includes(version) ?? true)
    const groups = compilers[version].native ? programs.map((program) => [program]) : [programs]
    return groups.map((group) => () => compileWith(version, group))
  })
  await inPairs(tasks)
}

async function compileWith(version, programs) {
  const compiler = openCompiler(compilers[version])
  for (const { name, folder, args } of programs) {
    const wanted = wantedErrors(join(here, folder), version)
    const { errors, seconds } = await compiler.compile(join(here, folder), args)
    const refused = wanted.size === 0 ? '' : `, ${wanted.size} lines refused as expected`
    const label = `TypeScript ${compilers[version].actual}  ${name}`
    const found = differences(errors, wanted)
    if (version === NEWEST && found.length > 0) broken.add(folder)
    report(label, found, `${seconds.toFixed(1)} s${refused}`)
  }
  await compiler.close()
}

function inspectPublicTypes() {
  const ts = require(compilers['5.9'].folder)
  const { checked, problems } = inspectDeclarations(ts, root)
  report('public declarations, nothing is any', problems, `${checked} types`)
  report('editor, docs and definition of a declared key', inspectEditor(ts, join(here, 'session')), 'found')
}

async function killMutants() {
  const everyProgram = new Set(PROGRAMS.map(({ folder }) => folder))
  const unproven = [...everyProgram].filter((folder) => !MUTANTS.some(({ kills }) => kills.includes(folder)))
  report('every program notices a mutant', unproven, `${everyProgram.size} programs`)
  await inPairs(MUTANTS.map((mutant) => () => killMutant(mutant)))
}

async function killMutant({ name, file, from, to, kills, isAny = false }) {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), 'fastify-typed-session-types-')))
  try {
    cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true, filter: (path) => !/\.(js|map)$/.test(path) })
    cpSync(here, join(copy, 'types', 'test'), { recursive: true })
    cpSync(join(root, 'package.json'), join(copy, 'package.json'))
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction')
    const original = readFileSync(join(copy, 'dist', file), 'utf8')
    const mutated = original.replace(from, () => to)
    const survived = mutated === original ? [`nothing in dist/${file} to replace by ${JSON.stringify(to)}`] : []
    writeFileSync(join(copy, 'dist', file), mutated)
    const compiler = openCompiler(compilers[NEWEST])
    for (const folder of kills) {
      if (broken.has(folder)) survived.push(`'${folder}' fails without it, too`)
      const project = join(copy, 'types', 'test', folder)
      const { errors } = await compiler.compile(project)
      if (differences(errors, wantedErrors(project, NEWEST)).length === 0)
        survived.push(`'${folder}' does not notice it`)
    }
    if (isAny && inspectDeclarations(require(compilers['5.9'].folder), copy).problems.length === 0) {
      survived.push('the search for any does not notice it')
    }
    report(`mutant: ${name}`, survived, `noticed by ${kills.join(', ')}`)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function report(what, problems, detail) {
  if (problems.length === 0) {
    console.log(`ok      ${what}  (${detail})`)
    return
  }
  console.log(`FAILED  ${what}`)
  failures.push(`${what}\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
}
