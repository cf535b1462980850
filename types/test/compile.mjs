import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Worker } from 'node:worker_threads'

const TIMEOUT = 120_000

/** A TypeScript to compile projects with, one after the other: `await compile(project, args)` gives the errors. */
export function openCompiler({ folder, native }) {
  const tsc = native ? spawnedTsc(folder) : workerTsc(folder)
  return {
    async compile(project, args = []) {
      const started = performance.now()
      const { output, status } = await tsc.run(['-p', project, '--pretty', 'false', ...args])
      return { errors: parse(project, output, status), seconds: (performance.now() - started) / 1000 }
    },
    close: tsc.close
  }
}

/** Errors as `file:line code`, files relative to the project. */
function parse(project, output, status) {
  const errors = []
  for (const line of output.split(/\r?\n/)) {
    const [, file, number, code, text] = line.match(/^(.+?)\((\d+),\d+\): error (TS\d+): (.*)$/) ?? []
    if (file !== undefined) errors.push({ at: `${relative(project, file)}:${number}`, code, text })
    else if (/^ /.test(line) && errors.length > 0) errors.at(-1).text += `\n${line}`
    else if (/^error TS/.test(line)) errors.push({ at: 'settings', code: line.slice(6, line.indexOf(':')), text: line })
  }
  if (status !== 0 && errors.length === 0) errors.push({ at: 'compiler', code: `exit ${status}`, text: output })
  if (status === 0 && errors.length > 0) errors.push({ at: 'compiler', code: 'exit 0', text: 'in spite of errors' })
  return errors
}

function spawnedTsc(folder) {
  const run = (args) =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(folder, 'bin', 'tsc'), '--singleThreaded', ...args], {
        timeout: TIMEOUT
      })
      let output = ''
      const collect = (chunk) => {
        output += chunk
      }
      child.stdout.on('data', collect)
      child.stderr.on('data', collect)
      child.on('error', reject)
      child.on('close', (status, signal) => resolve({ output, status: status ?? signal }))
    })
  return { run, close: async () => undefined }
}

function workerTsc(folder) {
  const worker = new Worker(new URL('./tsc-worker.mjs', import.meta.url), { workerData: { folder } })
  const run = (args) =>
    new Promise((resolve, reject) => {
      worker.once('error', reject)
      worker.once('message', (message) => {
        worker.off('error', reject)
        resolve(message)
      })
      worker.postMessage(args)
    })
  return { run, close: () => worker.terminate() }
}

/**
 * The errors that the sources of a project ask for. A line that ends in `//! 2322` must give TS2322 and nothing else,
 * `//! 2322|2741` one of both, `//! 5.5:1479` only under TypeScript 5.5, `//! 2322 "a Date"` one whose text contains this. A mark on a
 * line of its own is for the line before.
 */
export function wantedErrors(project, version) {
  const wanted = new Map()
  for (const name of readdirSync(project)) {
    if (!/\.[cm]?ts$/.test(name)) continue
    readFileSync(join(project, name), 'utf8')
      .split('\n')
      .forEach((line, index) => {
        const [, only, codes, text = ''] = line.match(/\/\/! (?:(\d+\.\d+):)?([\d|]+)(?: "(.+)")?$/) ?? []
        if (codes === undefined || (only !== undefined && only !== version)) return
        const number = /^\s*\/\/!/.test(line) ? index : index + 1
        wanted.set(`${name}:${number}`, { codes: codes.split('|').map((code) => `TS${code}`), text })
      })
  }
  return wanted
}

/** Where what a compiler found differs from what was wanted, in words; empty if it does not. */
export function differences(errors, wanted) {
  const found = []
  const met = new Set()
  for (const { at, code, text } of errors) {
    const expected = wanted.get(at)
    if (expected?.codes.includes(code) && text.includes(expected.text) && !met.has(at)) met.add(at)
    else found.push(`${at} unexpected ${code}: ${text}`)
  }
  for (const [at, expected] of wanted) {
    const what = `${expected.codes.join(' or ')} ${expected.text}`
    if (!met.has(at)) found.push(`${at} compiles, or fails differently: ${what} was expected`)
  }
  return found
}

/** Runs tasks two at a time, and gives their results in order. */
export async function inPairs(tasks) {
  const results = new Array(tasks.length)
  let next = 0
  const worker = async () => {
    while (next < tasks.length) {
      const index = next++
      results[index] = await tasks[index]()
    }
  }
  await Promise.all([worker(), worker()])
  return results
}
