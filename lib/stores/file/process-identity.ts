import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** Identifies a process on a machine, so that another process can judge later whether it still runs. */
export interface ProcessIdentity {
  /** Processes with the same text see each other by their `pid`. */
  readonly machine: string
  readonly pid: number
  /** When the process started, which distinguishes it from a later process with the same number. Known on Linux only. */
  readonly started: string | undefined
}

/** `unknown`: this process cannot tell, because the other one is on another machine, or the system has no /proc. */
export type Verdict = 'alive' | 'dead' | 'unknown'

const PROC = '/proc'

/**
 * Returns the identity of this process. With /proc, a machine is one boot of one kernel and one namespace of process numbers,
 * because two containers may have the same host name and both run as process 1.
 */
export async function identifyProcess(proc: string = PROC): Promise<ProcessIdentity> {
  try {
    const boot = await readFile(join(proc, 'sys/kernel/random/boot_id'), 'utf8')
    const namespace = await readlink(join(proc, 'self/ns/pid'))
    const { started } = await readStatus(proc, process.pid)
    return { machine: `${boot.trim()} ${namespace}`, pid: process.pid, started }
  } catch {
    return { machine: hostname(), pid: process.pid, started: undefined }
  }
}

/** Judges from this process whether another one still runs. It never returns `dead` for a process that could still write. */
export async function judgeProcess(
  other: ProcessIdentity,
  self: ProcessIdentity,
  proc: string = PROC
): Promise<Verdict> {
  if (other.machine !== self.machine) return 'unknown'
  if (!hasProcess(other.pid)) return 'dead'
  if (other.started === undefined) return 'unknown'
  try {
    const { started, hasEnded } = await readStatus(proc, other.pid)
    return started !== other.started || hasEnded ? 'dead' : 'alive'
  } catch {
    // It has ended in the meantime, or /proc hides the processes of other users (hidepid).
    return 'unknown'
  }
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

/**
 * Reads the status: see proc_pid_stat(5). The second field, the name of the program, is in parentheses and may contain
 * anything.
 */
async function readStatus(proc: string, pid: number): Promise<{ started: string; hasEnded: boolean }> {
  const text = await readFile(join(proc, String(pid), 'stat'), 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, threads, started] = [fields[0], fields[17], fields[19]]
  if (started === undefined) throw new Error('not a status')
  // A zombie has ended, and its parent has not waited for it yet. If it has threads left, one of them may be writing.
  return { started, hasEnded: state === 'Z' && threads === '1' }
}
