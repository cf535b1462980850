// Which source a test covers: test/x.test.ts covers lib/x.ts and nothing else, so that no file is covered by accident.
// Stories in test/flow and test/browser, and checks of the whole tree, cover nothing.
export default (test) => {
  const source = test.replace(/^test\//, 'lib/').replace(/\.test\.ts$/, '.ts')
  return /^lib\/(flow|browser)\//.test(source) || WHOLE_TREE.includes(source) ? null : source
}

const WHOLE_TREE = ['lib/imports.ts']
