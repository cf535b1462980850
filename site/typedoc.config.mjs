// The API reference, written from the doc comments into `api/`.

const PACKAGE = 'fastify-typed-session'

/** @type {import('typedoc').TypeDocOptions & import('typedoc-plugin-markdown').PluginOptions} */
export default {
  name: 'API',
  entryPoints: [
    '../lib/index.ts',
    '../lib/{adopt,device-bound,flask,login,inspector,testing}/index.ts',
    '../lib/stores/*/index.ts'
  ],
  tsconfig: 'tsconfig.api.json',
  // The compiler of the repository checks the types, and is newer than the one that typedoc can use.
  skipErrorChecking: true,
  plugin: ['typedoc-plugin-markdown'],
  readme: 'none',
  out: 'api',
  router: 'member',
  entryFileName: 'index',
  disableSources: true,
  excludeExternals: true,
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  expandParameters: true,
  treatWarningsAsErrors: true,
  validation: { notExported: false },
  parametersFormat: 'table',
  pageTitleTemplates: {
    module: ({ name }) => (name === 'index' ? PACKAGE : `${PACKAGE}/${name}`),
    member: ({ rawName }) => rawName.replace(/<.*/s, '')
  }
}
