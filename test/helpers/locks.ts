import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { linkSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockDirectories } from '../../lib/stores/file/lock.ts'
import type { ThreadIdentity } from '../../lib/stores/file/thread-identity.ts'
import { identifyThread } from '../../lib/stores/file/thread-identity.ts'

/** The identity of a holder that nobody here can judge. */
export const ELSEWHERE: ThreadIdentity = { machine: 'elsewhere', pid: 1, thread: 1, started: '1' }

/** A new directory for locks. */
export function newLockDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'session-locks-'))
  for (const path of lockDirectories(directory)) mkdirSync(path)
  return directory
}

/** The names of the locks that are taken. */
export function locksIn(directory: string): string[] {
  return readdirSync(join(directory, 'locks'))
}

/** The identity of a process of this machine that has ended. */
export async function newDead(): Promise<ThreadIdentity> {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  const pid = child.pid ?? 0
  return { ...(await identifyThread()), pid, thread: pid }
}

/** Leaves a lock behind, in the name of somebody. */
export function leaveLock(directory: string, name: string, contents: object | string, token = 'dead'): void {
  const [locks, processes] = lockDirectories(directory)
  const path = join(processes, token)
  writeFileSync(path, typeof contents === 'string' ? contents : JSON.stringify({ token, ...contents }))
  linkSync(path, join(locks, name))
}
