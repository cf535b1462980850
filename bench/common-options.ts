import { resolve } from 'node:path'
import { compileChildren } from './compile-children.ts'

/** The options of every bench that measures systems. */
export const COMMON_OPTIONS = {
  root: { type: 'string' },
  help: { type: 'boolean', default: false }
} as const

/** Their lines in what `--help` prints. */
export const COMMON_USAGE = '--root DIR         measure the dist/ of another checkout'

/** Compiles the processes of a bench. They measure the `dist/` of this checkout, or of `root`. */
export function prepareChildren(root: string | undefined): void {
  if (root !== undefined) process.env.BENCH_LIBRARY = resolve(root, 'dist')
  compileChildren()
}
