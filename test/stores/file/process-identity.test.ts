import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { identifyProcess, judgeProcess } from '../../../lib/stores/file/process-identity.ts'

/** A /proc in which this process, with a name that could confuse, has a state and a number of threads. */
function fakeProc(state: string, threads: number, started: number): string {
  const proc = mkdtempSync(join(tmpdir(), 'session-proc-'))
  for (const folder of ['sys/kernel/random', 'self/ns', String(process.pid)]) {
    mkdirSync(join(proc, folder), { recursive: true })
  }
  writeFileSync(join(proc, 'sys/kernel/random/boot_id'), 'the-boot\n')
  symlinkSync('pid:[4026531836]', join(proc, 'self/ns/pid'))
  const fields = `${state} 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 ${threads} 0 ${started} 1 1`
  writeFileSync(join(proc, `${process.pid}/stat`), `${process.pid} (a) Z 1 (b) ${fields}\n`)
  return proc
}

t.test('a process says which boot, namespace and start it is of', async (t) => {
  t.same(await identifyProcess(fakeProc('S', 7, 195330)), {
    machine: 'the-boot pid:[4026531836]',
    pid: process.pid,
    started: '195330'
  })
})

t.test('without /proc it says the host and its number', async (t) => {
  const expected = { machine: hostname(), pid: process.pid, started: undefined }
  t.same(await identifyProcess('/there/is/none'), expected)
  const proc = fakeProc('S', 7, 195330)
  writeFileSync(join(proc, `${process.pid}/stat`), 'something else')
  t.same(await identifyProcess(proc), expected)
})

t.test('this process is alive', async (t) => {
  const self = await identifyProcess()
  t.equal(await judgeProcess(self, self), process.platform === 'linux' ? 'alive' : 'unknown')
})

t.test('a process that has ended is dead', async (t) => {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  const self = await identifyProcess()
  t.equal(await judgeProcess({ ...self, pid: child.pid ?? 0 }, self), 'dead')
})

t.test('another process with the same number is not the one that is meant', async (t) => {
  const proc = fakeProc('S', 7, 1000)
  const self = await identifyProcess(proc)
  t.equal(await judgeProcess(self, self, proc), 'alive')
  t.equal(await judgeProcess({ ...self, started: '999' }, self, proc), 'dead')
})

t.test('a zombie is dead once its last thread has ended', async (t) => {
  const self = await identifyProcess(fakeProc('S', 1, 1000))
  t.equal(await judgeProcess(self, self, fakeProc('Z', 1, 1000)), 'dead')
  t.equal(await judgeProcess(self, self, fakeProc('Z', 2, 1000)), 'alive')
  t.equal(await judgeProcess(self, self, fakeProc('S', 1, 1000)), 'alive')
})

t.test('nobody can tell of other machines, without a start, or when /proc hides it', async (t) => {
  const proc = fakeProc('S', 7, 1000)
  const self = await identifyProcess(proc)
  t.equal(await judgeProcess({ ...self, machine: 'another' }, self, proc), 'unknown')
  t.equal(await judgeProcess({ ...self, started: undefined }, self, proc), 'unknown')
  t.equal(await judgeProcess(self, self, '/there/is/none'), 'unknown')
})

t.test(
  'a process of another user is there',
  { skip: process.getuid?.() === 0 ? 'root may signal all' : false },
  async (t) => {
    const self = await identifyProcess()
    t.not(await judgeProcess({ ...self, pid: 1 }, self), 'dead')
  }
)
