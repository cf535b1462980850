import type * as Tap from 'tap'
import t from 'tap'
import type { Exemptions } from '../../tools/doc-comments.ts'
import { findProblems } from '../../tools/doc-comments.ts'

const PACKAGE = JSON.stringify({
  exports: {
    '.': { types: './dist/lib/index.d.ts', default: './dist/lib/index.js' },
    './part': { types: './dist/lib/part.d.ts' },
    './package.json': './package.json'
  }
})

/** The sources in `lib/` of a package, one text each. */
interface Sources {
  readonly [file: string]: string
}

function problemsOf(t: Tap.Test, index: string, others: Sources = {}, exemptions: Exemptions = {}): string[] {
  const lib = { 'index.ts': index, 'part.ts': 'export {}', ...others }
  return findProblems(t.testdir({ 'package.json': PACKAGE, lib }), exemptions)
}

const EXAMPLE = '/** Does it.\n@example it() */'

t.test('what is exported needs a doc comment, and an example if it is a value', async (t) => {
  const index = `
export function bare(): void {}
/** Does it. */
export function without(): void {}
${EXAMPLE}
export function good(): void {}
/** @example */
export const empty = 1
export type Bare = string
/** A name. */
export type Good = string
function own(): void {}
own()
/** A class. */
export class Without {}
export default good
`
  t.same(problemsOf(t, index), [
    'lib/index.ts:2 bare has no doc comment',
    'lib/index.ts:2 bare has no @example',
    'lib/index.ts:4 without has no @example',
    'lib/index.ts:9 empty has no doc comment',
    'lib/index.ts:9 empty has no @example',
    'lib/index.ts:10 Bare has no doc comment',
    'lib/index.ts:16 Without has no @example'
  ])
})

t.test('exports are found through other files and every entry, and what no entry exports is not', async (t) => {
  const index = "export { inner } from './inner.ts'\nexport type { Outer } from 'elsewhere'\n"
  const others = {
    'inner.ts': 'export const inner = 1\nexport const hidden = 2\n',
    'part.ts': 'export type Part = 1\n'
  }
  t.same(problemsOf(t, index, others), [
    'lib/inner.ts:1 inner has no doc comment',
    'lib/inner.ts:1 inner has no @example',
    'lib/part.ts:1 Part has no doc comment'
  ])
})

t.test('members need a doc comment, and an example if they can be called', async (t) => {
  const index = `
${EXAMPLE}
export class Box {
  #hidden = 1
  private also(): void {}
  protected too(): void {}
  constructor(size: number) { size }
  bare = 1
  /** A field. */
  field = 1
  get both(): number { return this.#hidden }
  set both(value: number) {}
  /** A method. */
  method(): void { this.also(); this.too() }
  static make(): Box { return new Box(1) }
  ${EXAMPLE}
  good(): void {}
}
/** An interface. */
export interface Shape {
  (): void
  readonly bare: number
  /** A listener. */
  onChange?: (() => void) | undefined
}
/** An alias. */
export type Either = { bare: 1 } | {
  /** A member. */
  good: 1
  call(): void
}
`
  t.same(problemsOf(t, index), [
    'lib/index.ts:9 Box.bare has no doc comment',
    'lib/index.ts:12 Box.both has no doc comment',
    'lib/index.ts:15 Box.method has no @example',
    'lib/index.ts:16 Box.make has no doc comment',
    'lib/index.ts:16 Box.make has no @example',
    'lib/index.ts:23 Shape has no doc comment',
    'lib/index.ts:24 Shape.bare has no doc comment',
    'lib/index.ts:26 Shape.onChange has no @example',
    'lib/index.ts:29 Either.bare has no doc comment',
    'lib/index.ts:32 Either.call has no doc comment',
    'lib/index.ts:32 Either.call has no @example'
  ])
})

t.test('an option needs an example, unless it takes no value', async (t) => {
  const index = `
/** Options. */
export interface BoxOptions {
  /** How large. */
  size?: number
  /** Not here. */
  color?: undefined
}
/** Attributes. */
export interface BoxAttributes extends BoxOptions {
  /** ${EXAMPLE.slice(3)}
  width: number
}
`
  t.same(problemsOf(t, index), ['lib/index.ts:5 BoxOptions.size has no @example'])
})

t.test('a comment that is inherited counts, of classes and of interfaces', async (t) => {
  const index = `
/** An interface. */
export interface Shape {
  ${EXAMPLE}
  area(): number
  round(): number
}
${EXAMPLE}
export class Square implements Shape {
  area(): number { return 1 }
  round(): number { return 1 }
}
${EXAMPLE}
export class Small extends Square {
  override area(): number { return 0 }
}
`
  t.same(problemsOf(t, index), [
    'lib/index.ts:7 Shape.round has no doc comment',
    'lib/index.ts:7 Shape.round has no @example',
    'lib/index.ts:13 Square.round has no doc comment',
    'lib/index.ts:13 Square.round has no @example'
  ])
})

t.test('each overload needs a doc comment, and one of them an example', async (t) => {
  const index = `
${EXAMPLE}
export function get(key: string): void
export function get(key: number): void
export function get(key: unknown): void { key }
/** An interface. */
export interface Getter {
  ${EXAMPLE}
  get(key: string): void
  get(key: number): void
}
`
  t.same(problemsOf(t, index), [
    'lib/index.ts:5 get has no doc comment',
    'lib/index.ts:12 Getter.get has no doc comment'
  ])
})

t.test('what a package adds to the declarations of another is public', async (t) => {
  const index = `
import type {} from 'fastify'
declare module 'fastify' {
  interface FastifyRequest {
    bare: number
    /** Logs out. */
    logout(): void
  }
}
`
  t.same(problemsOf(t, index), [
    'lib/index.ts:5 FastifyRequest.bare has no doc comment',
    'lib/index.ts:7 FastifyRequest.logout has no @example'
  ])
})

t.test('what is exempt needs neither, and an exemption without need is a problem', async (t) => {
  const index = `
export type Bare = { member: 1 }
/** An interface. */
export interface Shape {
  bare: number
  other: number
}
`
  t.same(problemsOf(t, index, {}, { Bare: 'why', 'Shape.bare': 'why', 'Shape.area': 'why' }), [
    'lib/index.ts:6 Shape.other has no doc comment',
    'Shape.area is exempt without need'
  ])
})

t.test('an entry that exports nothing is an error', async (t) => {
  t.throws(() => problemsOf(t, 'const nothing = 1'), /index\.ts is no module/)
})
