#!/usr/bin/env node
import { runCli } from './cli.ts'

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  log: console.log,
  error: console.error,
  clock: () => Date.now()
})
