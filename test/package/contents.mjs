import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const PLAIN = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']
const BUILT = /^dist\/(lib\/.*(\.d\.ts|\.js)|types\/.*\.d\.ts)$/
const PAGE = /^docs\/.*\.md$/
const TESTS = /(^|\/)(test|tests|bench|example|examples|coverage)\/|\.(test|test-d|bench)\./
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

/** What is wrong with the files of the unpacked package, in words. `root` is where it was built. */
export function inspectContents(folder, root) {
  const files = listFiles(folder)
  const problems = []

  for (const file of files) {
    if (PLAIN.includes(file) || isPage(file, root)) continue
    if (TESTS.test(file)) problems.push(`${file} belongs to the tests, benches or examples`)
    else if (!BUILT.test(file)) problems.push(`${file} has no business in the package`)
    else if (!existsSync(join(root, sourceOf(file)))) problems.push(`${file} was built from a source that is gone`)
    else if (/^\/\/# sourceMappingURL=/m.test(readFileSync(join(folder, file), 'utf8'))) {
      problems.push(`${file} names a map that is not there`)
    }
  }
  for (const file of sourcesOf(root).flatMap(builtFrom)) {
    if (!files.includes(file)) problems.push(`${file} is missing`)
  }
  for (const file of [...PLAIN, ...pagesOf(root)]) {
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

function pagesOf(root) {
  return listFiles(join(root, 'docs'))
    .map((file) => `docs/${file}`)
    .filter((file) => PAGE.test(file))
}

function isPage(file, root) {
  return PAGE.test(file) && existsSync(join(root, file))
}

function sourcesOf(root) {
  return ['lib', 'types'].flatMap((folder) =>
    listFiles(join(root, folder))
      .filter((file) => file.endsWith('.ts') && !TESTS.test(file))
      .map((file) => `${folder}/${file}`)
  )
}

function sourceOf(built) {
  return built.replace(/^dist\//, '').replace(/(\.d\.ts|\.js)$/, '.ts')
}

function builtFrom(source) {
  const extensions = source.startsWith('lib/') ? ['.d.ts', '.js'] : ['.d.ts']
  return extensions.map((extension) => `dist/${source.replace(/\.ts$/, extension)}`)
}
