import { readlinkSync } from 'node:fs'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'

/** Identifies a thread of a process on a machine, so that others can judge later whether it still runs. */
export interface ThreadIdentity {
  /** Processes with the same text see each other by their `pid`. */
  readonly machine: string
  readonly pid: number
  /** The number of the thread: that of a worker thread differs from `pid`. 0 if it is not known. */
  readonly thread: number
  /** When the thread started, which distinguishes it from a later one with the same number. Known on Linux only. */
  readonly started: string | undefined
}

/** `unknown`: this thread cannot tell, because the other one is on another machine, or the system has no /proc. */
export type Verdict = 'alive' | 'dead' | 'unknown'

interface Status {
  readonly state: string
  readonly threads: string
  readonly started: string
}

const PROC = '/proc'

/**
 * Returns the identity of this thread. With /proc, a machine is one boot of one kernel and one namespace of process numbers,
 * because two containers may have the same host name and both run as process 1.
 */
export async function identifyThread(proc: string = PROC): Promise<ThreadIdentity> {
  const { pid } = process
  try {
    // An asynchronous call would name the thread of the pool that carries it out.
    const thread = Number(basename(readlinkSync(join(proc, 'thread-self'))))
    const boot = await readFile(join(proc, 'sys/kernel/random/boot_id'), 'utf8')
    const namespace = await readlink(join(proc, 'self/ns/pid'))
    const { started } = await readStatus(pathOf(proc, pid, thread))
    return { machine: `${boot.trim()} ${namespace}`, pid, thread, started }
  } catch {
    return { machine: hostname(), pid, thread: 0, started: undefined }
  }
}

/**
 * Judges whether another thread still runs. It never returns `dead` for one that could still write: a worker thread ends only when
 * its calls of the file system have ended.
 */
export async function judgeThread(other: ThreadIdentity, self: ThreadIdentity, proc: string = PROC): Promise<Verdict> {
  if (other.machine !== self.machine) return 'unknown'
  if (!hasProcess(other.pid)) return 'dead'
  if (other.started === undefined) return 'unknown'
  const thread = await readStatus(pathOf(proc, other.pid, other.thread)).catch(() => undefined)
  if (thread !== undefined) return thread.started !== other.started || hasEnded(thread) ? 'dead' : 'alive'
  const main = await readStatus(join(proc, String(other.pid))).catch(() => undefined)
  // The process has ended in the meantime, or /proc hides the processes of other users (hidepid).
  if (main === undefined) return 'unknown'
  return main.state === ZOMBIE && !hasEnded(main) ? 'alive' : 'dead'
}

function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: the process exists and belongs to another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

const ZOMBIE = 'Z'

/** A zombie has ended, and its parent has not waited for it yet. If it has threads left, one of them may be writing. */
function hasEnded({ state, threads }: Status): boolean {
  return state === ZOMBIE && threads === '1'
}

function pathOf(proc: string, pid: number, thread: number): string {
  return join(proc, String(pid), 'task', String(thread))
}

/**
 * Reads the status: see proc_pid_stat(5). The second field, the name of the program, is in parentheses and may contain
 * anything.
 */
async function readStatus(path: string): Promise<Status> {
  const text = await readFile(join(path, 'stat'), 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state = '', threads = '', started] = [fields[0], fields[17], fields[19]]
  if (started === undefined) throw new Error('not a status')
  return { state, threads, started }
}
