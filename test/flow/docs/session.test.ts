import t from 'tap'
import { MemoryStore } from '../../../lib/index.ts'
import { RequestSession } from '../../../lib/request/session.ts'
import { blocks, read, runSnippet } from '../../helpers/pages.ts'

const PAGE = read('docs/session.md')

t.test('every snippet of docs/session.md returns what stands behind its arrows', async (t) => {
  const bare = blocks(PAGE, 'ts').filter((code) => !code.startsWith('import '))
  const stored = blocks(PAGE, 'ts with a store')
  t.ok(bare.length > 20)
  t.ok(stored.length > 3)
  let arrows = 0
  for (const snippet of bare) arrows += await runSnippet(t, snippet)
  for (const snippet of stored) arrows += await runSnippet(t, snippet, { store: (clock) => new MemoryStore({ clock }) })
  t.equal(arrows, PAGE.match(/ \/\/ => /g)?.length)
})

t.test('every member of a session has its section and its row', async (t) => {
  const methods = read('types/session.ts').split('class SessionMethods')[1]?.split('\n}', 1)[0] ?? ''
  const names = new Set([...methods.matchAll(/^ {2}(?:get |set )?(\w+)(?=[(<])/gm)].map(([, name = '']) => name))
  t.ok(names.size >= 24, [...names].join(' '))
  for (const name of names) {
    t.match(PAGE, new RegExp(`^###.*\`${name}[(\`]`, 'm'), name)
    t.match(PAGE, new RegExp(`^\\|.*\`${name}[(\`].*\\|`, 'm'), name)
  }
})

t.test('every table for those who come from another library lists the reserved names', async (t) => {
  const own = Object.getOwnPropertyNames(Object.prototype)
  const names = Object.getOwnPropertyNames(RequestSession.prototype).filter((name) => !own.includes(name))
  const tables = [
    ...read('docs/migrating.md')
      .split('\n## From ')
      .slice(1)
      .filter((section) => section.includes('\n| --- |')),
    read('docs/from-flask.md')
  ]
  t.equal(tables.length, 8)
  for (const table of tables) {
    const [, cell = ''] = /^\| keys named (.*?) \| \[reserved\]/m.exec(table) ?? []
    t.same(
      [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
      names.sort(),
      table.slice(0, 30)
    )
  }
})

t.test('the reserved names are all names that a session has or inherits', async (t) => {
  const [, section = ''] = PAGE.split('### Reserved names\n')
  const listed = (row: string): string[] => {
    const [, cell = ''] = new RegExp(`^\\| ${row} \\| (.*) \\|$`, 'm').exec(section) ?? []
    return [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
  }
  const ofObjects = Object.getOwnPropertyNames(Object.prototype)
  const ofSessions = Object.getOwnPropertyNames(RequestSession.prototype).filter((name) => !ofObjects.includes(name))
  t.same(listed('members of every object'), ofObjects.sort())
  t.same(listed('members of the session'), ofSessions.sort())
})
