import { localPath } from '../../../lib/guard/local-path.ts'
import { readCorpus } from '../corpus.ts'
import type { Target } from '../fuzz.ts'

const SITE = 'https://app.example'
const TOKENS = [
  '/',
  '//',
  '\\',
  '.',
  '..',
  '%2e',
  '%2F',
  '%5c',
  '\t',
  '\r\n',
  '@',
  ':',
  '?',
  '#',
  'evil.example',
  'http:'
]

/** A local path leads to this server, from every page of it, and is one that a header can carry. */
export function pathTarget(toPath: (address: string) => string | undefined = localPath): Target {
  return {
    name: 'path',
    seeds: readCorpus('paths'),
    tokens: TOKENS,
    check(address) {
      const path = toPath(address)
      if (path === undefined) return undefined
      if (!/^\/(?!\/)[!-~]*$/.test(path)) return 'no plain path'
      const leaves = ['/', '/a/b/login?next=c'].some((page) => new URL(path, SITE + page).origin !== SITE)
      return leaves ? 'it leads to another server' : undefined
    }
  }
}
