import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** Which process on which machine: enough to say later whether it still runs. */
export interface ProcessIdentity {
  /** Processes with the same text see each other under their `pid`. */
  readonly machine: string
  readonly pid: number
  /** When the process started, which tells it from a later one with its number. Only Linux says so. */
  readonly started: string | undefined
}

/** `unknown`: nobody can say from here, because of another machine, or of a system without /proc. */
export type Verdict = 'alive' | 'dead' | 'unknown'

const PROC = '/proc'

/**
 * Who this process is. Where there is /proc, a machine is one boot of one kernel and one namespace of process numbers: two
 * containers may share their host name and both run as process 1.
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

/** Whether a process still runs, as seen from this one. `dead` is never said of one that could still write. */
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
    // It ended just now, or /proc hides the processes of other users (hidepid).
    return 'unknown'
  }
}

function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: there is one, of another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** See proc_pid_stat(5). The name of the program comes second, in parentheses, and may contain anything. */
async function readStatus(proc: string, pid: number): Promise<{ started: string; hasEnded: boolean }> {
  const text = await readFile(join(proc, String(pid), 'stat'), 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [state, threads, started] = [fields[0], fields[17], fields[19]]
  if (started === undefined) throw new Error('not a status')
  // A zombie has ended and was not waited for. With threads left, one of them may be in the middle of a write.
  return { started, hasEnded: state === 'Z' && threads === '1' }
}
