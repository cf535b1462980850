import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'

/** In milliseconds. */
const TIMEOUT = 180_000

/** Runs a program and gives what it printed; throws if it fails, with both outputs. `status` expects another exit code. */
export function run(command, args, { cwd, env = {}, status = 0, timeout = TIMEOUT }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, timeout })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === status) resolve(stdout)
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}\n${stdout}\n${stderr}`))
    })
  })
}

/** Makes a project of ES modules and installs packages into it, given as name and exact version or path. */
export async function install(folder, dependencies) {
  mkdirSync(folder, { recursive: true })
  const manifest = { name: 'stranger', private: true, type: 'module', dependencies }
  writeFileSync(`${folder}/package.json`, JSON.stringify(manifest, null, 2))
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--loglevel=error']
  await run('npm', ['install', ...flags], { cwd: folder })
}
