import { spawnSync } from 'node:child_process'

/** Compiles the child processes to JavaScript, because the bench would also measure a loader. The compiler checks the types. */
export function compileChildren(): void {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: new URL('.', import.meta.url),
    stdio: ['ignore', 'inherit', 'inherit']
  })
  if (status !== 0) throw new Error('The bench does not compile.')
}
