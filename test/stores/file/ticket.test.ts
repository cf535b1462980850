import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { OwnTicket } from '../../../lib/stores/file/ticket.ts'
import { ELSEWHERE } from '../../helpers/locks.ts'

function newDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'session-tickets-'))
}

t.test('a ticket is made once, and says who its holder is', async (t) => {
  const directory = newDirectory()
  const own = new OwnTicket(directory, async () => ELSEWHERE)
  t.same(readdirSync(directory), [])
  const [ticket, again] = await Promise.all([own.get(), own.get()])
  t.equal(ticket, again)
  t.match(ticket.holder.token, /^[0-9a-f]{32}$/)
  t.same(JSON.parse(readFileSync(ticket.path, 'utf8')), { token: ticket.holder.token, ...ELSEWHERE })
  const { ino, mode } = statSync(ticket.path, { bigint: true })
  t.equal(ticket.inode, ino)
  if (process.platform !== 'win32') t.equal(mode & 0o777n, 0o600n)
  t.not((await new OwnTicket(directory, async () => ELSEWHERE).get()).holder.token, ticket.holder.token)
})

t.test('it can be removed, or forgotten, and made anew', async (t) => {
  const directory = newDirectory()
  const own = new OwnTicket(directory, async () => ELSEWHERE)
  await own.remove()
  const first = await own.get()
  await own.remove()
  t.same(readdirSync(directory), [])
  const second = await own.get()
  own.forget()
  const third = await own.get()
  t.equal(new Set([first, second, third].map(({ holder }) => holder.token)).size, 3)
})

t.test('after a failure the next one tries again', async (t) => {
  const directory = newDirectory()
  const own = new OwnTicket(join(directory, 'later'), async () => ELSEWHERE)
  await t.rejects(own.get(), { code: 'ENOENT' })
  mkdirSync(join(directory, 'later'))
  await own.get()
  t.equal(readdirSync(join(directory, 'later')).length, 1)
})

t.test('a failure that cannot be cleaned up is told as it is', async (t) => {
  const directory = join(newDirectory(), 'gone')
  mkdirSync(directory)
  rmSync(directory, { recursive: true })
  const parent = join(directory, '..')
  rmSync(parent, { recursive: true })
  const own = new OwnTicket(`${directory}\0`, async () => ELSEWHERE)
  await t.rejects(own.get(), { code: 'ERR_INVALID_ARG_VALUE' })
})
