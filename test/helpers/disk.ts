import { execFileSync } from 'node:child_process'
import type * as Tap from 'tap'
import { cannotTest } from './service.ts'

/** Makes a mounted disk read-only, or writable again. */
export function remountDisk(directory: string, mode: 'ro' | 'rw'): void {
  execFileSync('mount', ['-o', `remount,${mode}`, directory])
}

/** Mounts a small disk until the end of the test, for what only a real one shows. Returns whether that is possible here. */
export function mountDisk(t: Tap.Test, directory: string, size: string): boolean {
  try {
    const options = `size=${size},mode=0700`
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', directory], { stdio: 'ignore' })
    // Lazily: handles on it may still be open.
    t.teardown(() => execFileSync('umount', ['--lazy', directory]))
    return true
  } catch {
    cannotTest(t, 'a full or read-only disk', 'a disk cannot be mounted here')
    return false
  }
}
