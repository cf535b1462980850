// What `request.session` and `getSession(request)` are when another package that declares `request.session`, or imports one
// that does, is part of the same program.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCompiler } from '../../types/test/compile.mjs'
import { install } from './npm.mjs'

const OURS = 'fastify-typed-session'

const VERSIONS = {
  '@fastify/flash': '6.0.5',
  '@fastify/passport': '4.0.3',
  '@fastify/secure-session': '8.4.0',
  '@fastify/session': '11.1.3'
}

/** Which packages are installed, and which of them is imported beside ours. */
const PROJECTS = [
  {
    folder: 'alone',
    installed: ['@fastify/flash', '@fastify/passport'],
    imported: ['@fastify/flash', '@fastify/passport']
  },
  { folder: 'beside', installed: Object.keys(VERSIONS), imported: Object.keys(VERSIONS) }
]

const PROBES = {
  [OURS]: 'Equal<T, Session>',
  any: '0 extends 1 & T ? true : false',
  '@fastify/secure-session': "'changed' extends keyof T ? true : false",
  '@fastify/session': "'encryptedSessionId' extends keyof T ? true : false"
}

/** Installs the packages into projects below a folder; `common` is what every project needs. */
export async function installPeers(root, common) {
  await Promise.all(
    PROJECTS.map(({ folder, installed }) =>
      install(join(root, folder), {
        ...common,
        ...Object.fromEntries(installed.map((name) => [name, VERSIONS[name]]))
      })
    )
  )
}

/** Compiles each combination; gives the rows of the table. `compilers` as `openCompiler` takes them, by version. */
export async function compileMatrix(root, compilers) {
  const cases = PROJECTS.flatMap(({ folder, imported }) =>
    imported.flatMap((peer) =>
      [true, false].flatMap((oursFirst) =>
        [true, false].map((skipLibCheck) => ({ folder, peer, oursFirst, skipLibCheck }))
      )
    )
  ).map((one, index) => ({ ...one, project: writeCase(root, one, index) }))

  const results = await Promise.all(
    Object.values(compilers).map(async (settings) => {
      const compiler = openCompiler(settings)
      const found = []
      for (const { project } of cases) found.push(classify((await compiler.compile(project)).errors))
      await compiler.close()
      return found
    })
  )
  return cases.map((one, index) => ({ ...one, results: results.map((found) => found[index]) }))
}

function writeCase(root, { folder, peer, oursFirst, skipLibCheck }, index) {
  const project = join(root, folder, `case-${index}`)
  mkdirSync(project)
  const compilerOptions = {
    target: 'es2022',
    lib: ['es2023'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['case.ts'] }))
  writeFileSync(join(project, 'case.ts'), sourceOf(oursFirst ? [OURS, peer] : [peer, OURS]))
  return project
}

function sourceOf(imports) {
  const probes = Object.values(PROBES)
  return [
    ...imports.map((name) => `import '${name}'`),
    "import type { FastifyRequest } from 'fastify'",
    `import { getSession, type Session } from '${OURS}'`,
    `declare module '${OURS}' { interface SessionData { visits: number } }`,
    'type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false',
    'declare const request: FastifyRequest',
    'const direct = request.session',
    'const safe = getSession(request)',
    ...probes.map((probe, index) => `type Probe${index}<T> = ${probe}`),
    ...['direct', 'safe'].flatMap((name) =>
      probes.map((_, index) => `export const ${name}${index}: Probe${index}<typeof ${name}> = true`)
    )
  ].join('\n')
}

/** The names of the probes that compiled, and the errors in the declarations of packages. */
function classify(errors) {
  const names = Object.keys(PROBES)
  const first =
    sourceOf(['', ''])
      .split('\n')
      .findIndex((line) => line.startsWith('export const')) + 1
  const failed = new Set(errors.filter(({ at }) => at.startsWith('case.ts:')).map(({ at }) => Number(at.split(':')[1])))
  const kindAt = (start) => names.filter((_, index) => !failed.has(start + index)).join(' and ') || 'something else'
  const elsewhere = errors
    .filter(({ at }) => !at.startsWith('case.ts:'))
    .map(({ at, code }) => `${code} in ${at.replace(/^.*node_modules\//, '').replace(/:\d+$/, '')}`)
  const stray = [...failed].filter((line) => line < first).map((line) => `error in line ${line} of the program`)
  return {
    direct: kindAt(first),
    safe: kindAt(first + names.length),
    errors: [...new Set([...elsewhere, ...stray])].sort().join(', ') || 'none'
  }
}

const HEADER = [
  'imported beside ours',
  'installed',
  'first import',
  'skipLibCheck',
  '`request.session` is of',
  '`getSession(request)` is of',
  'errors in declarations'
]

/** The table, and below it what it was made with. `ours`: what every program has besides. */
export function toMarkdown(rows, ours, versions) {
  const cells = rows.map(({ peer, folder, oursFirst, skipLibCheck, results }) => [
    `\`${peer}\``,
    folder,
    oursFirst ? 'ours' : 'theirs',
    String(skipLibCheck),
    ...['direct', 'safe', 'errors'].map((fact) =>
      together(
        results.map((result) => result[fact]),
        versions
      )
    )
  ])
  const widths = HEADER.map((_, column) => Math.max(...[HEADER, ...cells].map((row) => row[column].length)))
  const toLine = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  const peers = Object.entries(VERSIONS).map(([name, version]) => `${name} ${version}`)
  return [
    '# Other packages that declare `request.session`',
    '',
    'Written by `npm run check -- --write-matrix`; `npm run check` compares. Each row is a program that imports',
    `\`${OURS}\` and one other package, in the given order. "Alone": neither \`@fastify/secure-session\` nor`,
    '`@fastify/session` is installed; "beside": both are.',
    '',
    ...[HEADER, widths.map((width) => '-'.repeat(width)), ...cells].map(toLine),
    '',
    `TypeScript ${versions.join(' and ')}; ${[...ours, ...peers].join(', ')}.`,
    ''
  ].join('\n')
}

/** One value for all versions, or one for each where they differ. */
function together(values, versions) {
  if (new Set(values).size === 1) return values[0]
  return values.map((value, index) => `${versions[index]}: ${value}`).join('; ')
}
