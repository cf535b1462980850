import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const SETTINGS = { strict: true, noEmit: true, skipLibCheck: false, types: ['node'] }

/** Nodes that TypeScript counts among the types, and that are none. */
const TYPE_PARTS = ['TemplateLiteralTypeSpan']

/**
 * Looks at every type that is written, or inferred, in the declarations that the package's root and its testing kit reach: none
 * may be `any`, which is also what TypeScript makes of a type that it cannot find. Besides, the root must export all of
 * types/index.
 */
export function inspectDeclarations(ts, root) {
  const entry = join(root, 'dist', 'lib', 'index.d.ts')
  const options = {
    ...SETTINGS,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts'],
    module: ts.ModuleKind.NodeNext
  }
  const program = ts.createProgram([entry, join(root, 'dist', 'lib', 'testing', 'index.d.ts')], options)
  const checker = program.getTypeChecker()
  const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(join(root, 'dist')))
  const problems = []
  let checked = 0

  const look = (node) => {
    const type = typeOf(ts, checker, node)
    if (type !== undefined) {
      checked++
      if ((type.flags & ts.TypeFlags.Any) !== 0) {
        const { fileName } = node.getSourceFile()
        problems.push(`${fileName.slice(root.length + 1)}: any in '${node.getText().slice(0, 80)}'`)
      }
    }
    ts.forEachChild(node, look)
  }
  for (const file of own) look(file)

  const namesIn = (file) => {
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(file))
    return symbol === undefined ? [] : checker.getExportsOfModule(symbol).map(({ name }) => name)
  }
  const exported = namesIn(entry)
  const declared = namesIn(join(root, 'dist', 'types', 'index.d.ts'))
  if (declared.length === 0) problems.push('dist/types/index.d.ts declares nothing')
  for (const name of declared) {
    if (!exported.includes(name)) problems.push(`types/index.ts has ${name}, which the root does not export`)
  }
  return { checked, problems }
}

function typeOf(ts, checker, node) {
  if (ts.isTypeNode(node))
    return TYPE_PARTS.includes(ts.SyntaxKind[node.kind]) ? undefined : checker.getTypeFromTypeNode(node)
  if (node.name !== undefined && ts.isPrivateIdentifier(node.name)) return undefined
  const declares =
    ts.isParameter(node) ||
    ts.isVariableDeclaration(node) ||
    ts.isPropertySignature(node) ||
    ts.isPropertyDeclaration(node) ||
    ts.isAccessor(node)
  return declares ? checker.getTypeAtLocation(node) : undefined
}

/** What an editor shows for a key that an application declared: its own doc comment, and where it stands. */
export function inspectEditor(ts, project) {
  const augmentation = join(project, 'augmentation.ts')
  const file = join(project, 'editor.ts')
  const expression = 'request.session.brand'
  const text = `import type { FastifyRequest } from 'fastify'\nimport './augmentation.ts'\nexport const f = (request: FastifyRequest) => ${expression}\n`
  const position = text.indexOf(expression) + expression.length - 1
  const service = ts.createLanguageService({
    getCompilationSettings: () => ({
      ...SETTINGS,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      allowImportingTsExtensions: true
    }),
    getScriptFileNames: () => [file, augmentation],
    getScriptVersion: () => '1',
    getScriptSnapshot(name) {
      if (name === file) return ts.ScriptSnapshot.fromString(text)
      return ts.sys.fileExists(name) ? ts.ScriptSnapshot.fromString(readFileSync(name, 'utf8')) : undefined
    },
    getCurrentDirectory: () => project,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (name) => name === file || ts.sys.fileExists(name),
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    realpath: ts.sys.realpath
  })
  const problems = []
  const docs = ts.displayPartsToString(service.getQuickInfoAtPosition(file, position)?.documentation)
  if (docs !== 'Fits into JSON as it is.') problems.push(`the docs shown are ${JSON.stringify(docs)}`)
  const definitions = service.getDefinitionAtPosition(file, position) ?? []
  if (!definitions.some(({ fileName }) => fileName === augmentation)) {
    problems.push(`the definition is in ${definitions.map(({ fileName }) => fileName).join(', ') || 'no file'}`)
  }
  return problems
}
