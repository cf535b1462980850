import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import ts from 'typescript-5.9'

/** Something public that lacks a doc comment or an example. */
interface Finding {
  /** The file, relative to the package, and the line. */
  readonly at: string
  /** The name as exported: `Name`, or `Name.member`. */
  readonly name: string
  readonly lacks: 'doc comment' | '@example'
}

type Report = (node: ts.Node, name: string, lacks: Finding['lacks']) => void

/** Names that need no doc comment, each with the reason: `Name` with its members, or `Name.member`. */
export type Exemptions = Readonly<Record<string, string>>

/** An interface with such a name takes values that a user writes. */
const OPTIONS = /(Options|Attributes)$/

/**
 * Returns a line for each problem with the doc comments of a package: an export of one of its entries, or a member of one, without a
 * doc comment; a function, a class, a method or an option without `@example`; and an exemption without need. A comment that an
 * editor shows because a member inherits it counts.
 */
export function findProblems(root: string, exemptions: Exemptions = {}): string[] {
  const used = new Set<string>()
  const isExempt = (name: string): boolean => {
    const exemption = [name, name.split('.', 1)[0] as string].find((candidate) => Object.hasOwn(exemptions, candidate))
    if (exemption !== undefined) used.add(exemption)
    return exemption !== undefined
  }
  const findings = findUndocumented(root).filter(({ name }) => !isExempt(name))
  return [
    ...findings.map(({ at, name, lacks }) => `${at} ${name} has no ${lacks}`),
    ...Object.keys(exemptions).flatMap((name) => (used.has(name) ? [] : [`${name} is exempt without need`]))
  ]
}

/** The sources stand for the built declarations, and other packages are not read, which makes it fast. */
function findUndocumented(root: string): Finding[] {
  const program = createProgram(root, entriesOf(root))
  const checker = program.getTypeChecker()
  const findings = new Map<string, Finding>()
  const report: Report = (node, name, lacks) => {
    const file = node.getSourceFile()
    const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1
    const finding = { at: `${relative(root, file.fileName)}:${line}`, name, lacks }
    findings.set(JSON.stringify(finding), finding)
  }
  const inspector = new Inspector(checker, report)
  for (const entry of program.getRootFileNames()) {
    const file = program.getSourceFile(entry)
    const module = file && checker.getSymbolAtLocation(file)
    if (module === undefined) throw new Error(`${entry} is no module.`)
    for (const symbol of checker.getExportsOfModule(module)) {
      const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0
      inspector.inspectExport(isAlias ? checker.getAliasedSymbol(symbol) : symbol)
    }
  }
  for (const file of program.getSourceFiles()) inspector.inspectAugmentations(file)
  return [...findings.values()].sort((a, b) => a.at.localeCompare(b.at, 'en', { numeric: true }))
}

/** The sources of the entries of a package. */
function entriesOf(root: string): string[] {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { types: string }>
  }
  return Object.values(exports).flatMap((entry) =>
    typeof entry === 'string' ? [] : [join(root, entry.types.replace(/^\.\/dist\//, '').replace(/\.d\.ts$/, '.ts'))]
  )
}

function createProgram(root: string, entries: readonly string[]): ts.Program {
  const options: ts.CompilerOptions = { noLib: true, types: [], strict: true, target: ts.ScriptTarget.ES2023 }
  const host = ts.createCompilerHost(options)
  host.getCurrentDirectory = () => root
  host.resolveModuleNameLiterals = (names, importer) =>
    names.map(({ text }) => {
      const resolvedFileName = join(dirname(importer), text)
      return { resolvedModule: text.startsWith('.') ? { resolvedFileName, extension: '.ts' } : undefined }
    })
  return ts.createProgram(entries, options, host)
}

/** Looks at the comments of exports and their members. */
class Inspector {
  readonly #checker: ts.TypeChecker
  readonly #report: Report

  constructor(checker: ts.TypeChecker, report: Report) {
    this.#checker = checker
    this.#report = report
  }

  inspectExport(symbol: ts.Symbol): void {
    const { name, flags } = symbol
    const isValue = (flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class | ts.SymbolFlags.Variable)) !== 0
    this.#inspect(symbol, name, isValue)
    for (const declaration of symbol.declarations ?? []) {
      if (ts.isClassDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)) {
        this.#inspectMembers(declaration, name)
      } else if (ts.isTypeAliasDeclaration(declaration)) {
        this.#inspectAlias(declaration, name)
      }
    }
  }

  /** The members that a file adds to the declarations of other packages. */
  inspectAugmentations(file: ts.SourceFile): void {
    for (const statement of file.statements) {
      if (!ts.isModuleDeclaration(statement) || !ts.isStringLiteral(statement.name)) continue
      const { body } = statement
      const declarations = body !== undefined && ts.isModuleBlock(body) ? body.statements : []
      for (const declaration of declarations) {
        if (ts.isInterfaceDeclaration(declaration)) this.#inspectMembers(declaration, declaration.name.text)
      }
    }
  }

  #inspectMembers(owner: ts.ClassDeclaration | ts.InterfaceDeclaration, name: string): void {
    for (const member of owner.members) {
      if (isHidden(member) || ts.isConstructorDeclaration(member)) continue
      const symbol = this.#symbolOf(member)
      if (symbol !== undefined) this.#inspectMember(symbol, `${name}.${symbol.name}`, OPTIONS.test(name))
      else if (!hasComment(member)) this.#report(member, name, 'doc comment')
    }
  }

  /** The members of object types that are written in the alias itself. */
  #inspectAlias(alias: ts.TypeAliasDeclaration, name: string): void {
    const type = this.#checker.getTypeAtLocation(alias)
    for (const part of type.isUnion() ? type.types : [type]) {
      for (const symbol of part.getProperties()) {
        const isOwn = symbol.declarations?.some(
          (node) => ts.isTypeLiteralNode(node.parent) && ts.findAncestor(node, (above) => above === alias)
        )
        if (isOwn) this.#inspectMember(symbol, `${name}.${symbol.name}`, OPTIONS.test(name))
      }
    }
  }

  #inspectMember(symbol: ts.Symbol, name: string, isOption: boolean): void {
    const [declaration] = symbol.declarations as [ts.Declaration]
    const type = this.#checker.getNonNullableType(this.#checker.getTypeOfSymbolAtLocation(symbol, declaration))
    const takesValue = isOption && (type.flags & ts.TypeFlags.Never) === 0
    this.#inspect(symbol, name, takesValue || type.getCallSignatures().length > 0)
  }

  #inspect(symbol: ts.Symbol, name: string, needsExample: boolean): void {
    const declarations = symbol.declarations ?? []
    const [declaration] = declarations
    if (declaration === undefined) return
    const comment = ts.displayPartsToString(symbol.getDocumentationComment(this.#checker))
    if (comment === '') this.#report(declaration, name, 'doc comment')
    else if (declarations.some(hasComment)) {
      // An editor shows the comment of the overload that is called.
      for (const overload of declarations.filter(isOverload)) {
        if (!hasComment(overload)) this.#report(overload, name, 'doc comment')
      }
    }
    if (!needsExample) return
    const tags = symbol.getJsDocTags(this.#checker)
    const hasExample = tags.some((tag) => tag.name === 'example' && ts.displayPartsToString(tag.text) !== '')
    if (!hasExample) this.#report(declaration, name, '@example')
  }

  #symbolOf(node: ts.ClassElement | ts.TypeElement): ts.Symbol | undefined {
    return node.name && this.#checker.getSymbolAtLocation(node.name)
  }
}

/** Whether a member is out of reach for users. */
function isHidden(member: ts.ClassElement | ts.TypeElement): boolean {
  if (member.name !== undefined && ts.isPrivateIdentifier(member.name)) return true
  const flags = ts.getCombinedModifierFlags(member)
  return (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0
}

/** One of the ways to call a function. The implementation of several is not among them. */
function isOverload(node: ts.Declaration): boolean {
  if (ts.isMethodSignature(node)) return true
  return (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) && node.body === undefined
}

function hasComment(node: ts.Node): boolean {
  return ts.getJSDocCommentsAndTags(node).some((part) => ts.isJSDoc(part) && part.comment !== undefined)
}
