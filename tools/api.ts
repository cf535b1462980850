// Compares the public declarations of each entry of the package with the reports in api/; `--local` writes them.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { CompilerState, Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'

const ROOT = join(import.meta.dirname, '..')
const REPORTS = join(ROOT, 'api')
const MANIFEST = join(ROOT, 'package.json')

const { values } = parseArgs({ options: { local: { type: 'boolean', default: false } } })
const temporary = mkdtempSync(join(tmpdir(), 'api-'))
try {
  const stale = reportAll().filter(isStale)
  if (stale.length > 0 && !values.local) {
    console.error('The public API has changed. If it should, run `npm run api -- --local` and commit what it writes.')
    process.exitCode = 1
  }
} finally {
  rmSync(temporary, { recursive: true })
}

interface Report {
  readonly file: string
  readonly text: string
}

/** One report for each entry that has declarations. */
function reportAll(): Report[] {
  const { exports } = JSON.parse(readFileSync(MANIFEST, 'utf8')) as {
    exports: Record<string, string | { types: string }>
  }
  const entries = Object.entries(exports).flatMap(([path, target]) =>
    typeof target === 'string' ? [] : [{ path, entry: join(ROOT, target.types) }]
  )
  const configs = entries.map(({ path, entry }) =>
    configOf(entry, `${path === '.' ? 'index' : path.slice(2).replaceAll('/', '-')}.api.md`)
  )
  const [first] = configs
  if (first === undefined) throw new Error('package.json exports nothing.')
  const compilerState = CompilerState.create(first, { additionalEntryPoints: entries.map(({ entry }) => entry) })
  return configs.map((config) => ({ file: basename(config.reportFilePath), text: extract(config, compilerState) }))
}

function configOf(entry: string, reportFileName: string): ExtractorConfig {
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: MANIFEST,
    configObject: {
      projectFolder: ROOT,
      mainEntryPointFilePath: entry,
      newlineKind: 'lf',
      compiler: {
        overrideTsconfig: { extends: join(ROOT, 'tsconfig.json'), files: [entry], include: [] }
      },
      apiReport: {
        enabled: true,
        reportFileName,
        reportFolder: temporary,
        reportTempFolder: join(temporary, 'compared'),
        // Types that the entry does not export, and that its exports are made of.
        includeForgottenExports: true
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } }
      }
    }
  })
}

function extract(config: ExtractorConfig, compilerState: CompilerState): string {
  const { errorCount } = Extractor.invoke(config, {
    compilerState,
    localBuild: true,
    messageCallback: (message) => {
      message.handled = message.logLevel !== ExtractorLogLevel.Error
    }
  })
  if (errorCount > 0) throw new Error(`API Extractor could not read ${config.mainEntryPointFilePath}.`)
  const text = readFileSync(config.reportFilePath, 'utf8') + augmentations(config.mainEntryPointFilePath)
  // The report shows what compiles; documentation changes without it.
  return text.replace(/^ *\/\*\*[\s\S]*?\*\/\n|^ *\/\/ \(undocumented\)\n| \(undocumented\)$/gm, '')
}

/** What an entry declares in modules of others: API Extractor leaves it out. */
function augmentations(entry: string): string {
  const blocks = readFileSync(entry, 'utf8').match(/^declare module '[\s\S]*?^}/gm) ?? []
  return blocks.length === 0 ? '' : ['', '```ts', '', blocks.join('\n\n'), '', '```', ''].join('\n')
}

function isStale({ file, text }: Report): boolean {
  const path = join(REPORTS, file)
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return false
  if (values.local) writeFileSync(path, text)
  console.log(`${values.local ? 'written' : 'stale'}  api/${file}`)
  return true
}
