import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { identifyThread, judgeThread } from '../../../lib/stores/file/thread-identity.ts'

const WORKER = 4711
const IS_LINUX = process.platform === 'linux'

interface Thread {
  readonly thread: number
  readonly state: string
  readonly started: number
}

/** A /proc in which this process, with a name that could confuse, has these threads. The last one is the one that reads. */
function fakeProc(all: readonly Thread[], count = 7): string {
  const proc = mkdtempSync(join(tmpdir(), 'session-proc-'))
  for (const folder of ['sys/kernel/random', 'self/ns']) mkdirSync(join(proc, folder), { recursive: true })
  writeFileSync(join(proc, 'sys/kernel/random/boot_id'), 'the-boot\n')
  symlinkSync('pid:[4026531836]', join(proc, 'self/ns/pid'))
  symlinkSync(`${process.pid}/task/${all.at(-1)?.thread}`, join(proc, 'thread-self'))
  for (const { thread, state, started } of all) {
    const fields = `${state} 1 1 1 0 -1 4194560 1 0 0 0 1 1 0 0 20 0 ${count} 0 ${started} 1 1`
    const folder = join(proc, `${process.pid}/task/${thread}`)
    mkdirSync(folder, { recursive: true })
    const text = `${thread} (a) Z 1 (b) ${fields}\n`
    writeFileSync(join(folder, 'stat'), text)
    if (thread === process.pid) writeFileSync(join(proc, `${process.pid}/stat`), text)
  }
  return proc
}

function main(state = 'S', started = 195330): Thread {
  return { thread: process.pid, state, started }
}

function worker(state = 'S', started = 195999): Thread {
  return { thread: WORKER, state, started }
}

t.test('a thread says which boot, namespace, process and start it is of', async (t) => {
  const machine = 'the-boot pid:[4026531836]'
  const { pid } = process
  t.same(await identifyThread(fakeProc([main()])), { machine, pid, thread: pid, started: '195330' })
  t.same(await identifyThread(fakeProc([main(), worker()])), { machine, pid, thread: WORKER, started: '195999' })
})

t.test('without /proc it says the host and the number of its process', async (t) => {
  const expected = { machine: hostname(), pid: process.pid, thread: 0, started: undefined }
  t.same(await identifyThread('/there/is/none'), expected)
  const proc = fakeProc([main()])
  writeFileSync(join(proc, `${process.pid}/task/${process.pid}/stat`), 'something else')
  t.same(await identifyThread(proc), expected)
})

t.test('this thread is alive', async (t) => {
  const self = await identifyThread()
  t.equal(await judgeThread(self, self), IS_LINUX ? 'alive' : 'unknown')
})

t.test('a worker thread is alive until it ends, although its process goes on', { skip: !IS_LINUX }, async (t) => {
  const script = `
    const { readlinkSync } = require('node:fs')
    const { parentPort } = require('node:worker_threads')
    parentPort.on('message', () => {})
    parentPort.postMessage(readlinkSync('/proc/thread-self'))`
  const running = new Worker(script, { eval: true })
  const [link] = await once(running, 'message')
  const thread = Number(link.split('/').at(-1))
  const self = await identifyThread()
  t.not(thread, self.thread)
  const text = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')
  const started = text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
  t.equal(await judgeThread({ ...self, thread, started }, self), 'alive')
  await running.terminate()
  t.equal(await judgeThread({ ...self, thread, started }, self), 'dead')
})

t.test('a process that has ended is dead', async (t) => {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  const self = await identifyThread()
  const pid = child.pid ?? 0
  t.equal(await judgeThread({ ...self, pid, thread: pid }, self), 'dead')
})

t.test('another thread with the same number is not the one that is meant', async (t) => {
  const proc = fakeProc([main(), worker()])
  const self = await identifyThread(proc)
  t.equal(await judgeThread(self, self, proc), 'alive')
  t.equal(await judgeThread({ ...self, started: '999' }, self, proc), 'dead')
})

t.test('a thread that its process does not have any more is dead', async (t) => {
  const self = await identifyThread(fakeProc([main(), worker()]))
  t.equal(await judgeThread(self, self, fakeProc([main()])), 'dead')
  t.equal(await judgeThread(self, self, fakeProc([main('Z')], 2)), 'alive', 'the rest of the process may be writing')
  t.equal(await judgeThread(self, self, fakeProc([main('Z')], 1)), 'dead')
})

t.test('a zombie is dead once its last thread has ended', async (t) => {
  const self = await identifyThread(fakeProc([main()]))
  t.equal(await judgeThread(self, self, fakeProc([main('Z')], 1)), 'dead')
  t.equal(await judgeThread(self, self, fakeProc([main('Z')], 2)), 'alive')
  t.equal(await judgeThread(self, self, fakeProc([main('S')], 1)), 'alive')
})

t.test('nobody can tell of other machines, without a start, or when /proc hides it', async (t) => {
  const proc = fakeProc([main()])
  const self = await identifyThread(proc)
  t.equal(await judgeThread({ ...self, machine: 'another' }, self, proc), 'unknown')
  t.equal(await judgeThread({ ...self, started: undefined }, self, proc), 'unknown')
  t.equal(await judgeThread(self, self, '/there/is/none'), 'unknown')
  rmSync(join(proc, String(process.pid)), { recursive: true })
  t.equal(await judgeThread(self, self, proc), 'unknown')
})

t.test(
  'a process of another user is there',
  { skip: process.getuid?.() === 0 ? 'root may signal all' : false },
  async (t) => {
    const self = await identifyThread()
    t.not(await judgeThread({ ...self, pid: 1, thread: 1 }, self), 'dead')
  }
)
