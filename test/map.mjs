// Tells tap which sources a test covers. A story in test/request covers the whole of lib/request: what a request does to its
// session passes through all files of that folder. Every other test covers the source of its own path, test/x.test.ts covers
// lib/x.ts, so that no file is covered by accident. So do the tests of histories/checks. Stories in test/flow, test/browser, test/recipes
// and test/histories, and checks of the whole tree, cover nothing.
export default (test) => {
  if (/^test\/histories\/checks\//.test(test)) return test.replace(/^test\/(.*)\.test\.ts$/, '$1.ts')
  const source = test.replace(/^test\//, 'lib/').replace(/\.test\.ts$/, '.ts')
  if (/^lib\/(flow|browser|recipes|histories)\//.test(source) || WHOLE_TREE.includes(source)) return null
  return source.startsWith('lib/request/') ? 'lib/request/**/*.ts' : source
}

const WHOLE_TREE = ['lib/layout.ts', 'lib/map.ts']
