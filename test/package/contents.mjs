import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

const PLAIN = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']
const BUILT = /^dist\/(lib|types)\/.*(\.d\.ts|\.js)(\.map)?$/
const SOURCE = /^(lib|types)\/.*\.ts$/
const TESTS = /(^|\/)(test|tests|bench|example|examples|docs|coverage)\/|\.(test|test-d|bench)\./
const SECRETS = [
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['a registry token', /_authToken|npm_[A-Za-z0-9]{36}/],
  ['a session secret', /SESSION_SECRET\s*[=:]\s*['"]?[A-Za-z0-9_-]{32,}/],
  ['a path of a machine', /(?<![\w.:/])\/(?:home|root|work|Users|tmp)\/[a-z]/]
]

/** All files below a folder, with `/`, sorted. */
export function listFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath ?? entry.path, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/')
    )
    .sort()
}

/** What is wrong with the files of the unpacked package, in words. */
export function inspectContents(folder) {
  const files = listFiles(folder)
  const problems = []
  const referenced = new Set()

  for (const file of files.filter((name) => name.endsWith('.map'))) {
    const { sources, sourceRoot = '', sourcesContent } = JSON.parse(readFileSync(join(folder, file), 'utf8'))
    if (!files.includes(file.slice(0, -'.map'.length))) problems.push(`${file} maps a file that is not there`)
    for (const source of sources) {
      const target = posix.join(dirname(file), sourceRoot, source)
      if (files.includes(target)) referenced.add(target)
      else if (sourcesContent === undefined) problems.push(`${file} points to ${target}, which is not there`)
    }
  }
  for (const file of files) {
    if (PLAIN.includes(file)) continue
    if (TESTS.test(file)) problems.push(`${file} belongs to the tests, benches, examples or docs`)
    else if (SOURCE.test(file) && !referenced.has(file)) problems.push(`${file} is a source that no map points to`)
    else if (BUILT.test(file) && !hasSource(file, files)) problems.push(`${file} was built from a source that is gone`)
    else if (!SOURCE.test(file) && !BUILT.test(file)) problems.push(`${file} has no business in the package`)
  }
  for (const file of PLAIN) {
    if (!files.includes(file)) problems.push(`${file} is missing`)
  }
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8')
    for (const [what, pattern] of SECRETS) {
      const found = text.match(pattern)
      if (found !== null) problems.push(`${file} has ${what}: ${found[0].slice(0, 24)}…`)
    }
  }
  return { files, problems }
}

function hasSource(file, files) {
  return files.includes(file.replace(/^dist\//, '').replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts'))
}
