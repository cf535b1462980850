#!/usr/bin/env node
import { text } from 'node:stream/consumers'
import { runCli } from './cli.ts'
import { question } from './question.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  log: console.log,
  error: console.error,
  clock: () => Date.now(),
  readInput: () => text(process.stdin),
  ask: question(process.stdin, process.stdout)
})
