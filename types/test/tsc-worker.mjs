// Keeps one version of tsc, written in JavaScript, warm: the same main function that its command line calls, many times.
import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'

const ts = createRequire(import.meta.url)(workerData.folder)

parentPort.on('message', (args) => {
  let output = ''
  let status
  const system = {
    ...ts.sys,
    args,
    write(text) {
      output += text
    },
    writeOutputIsTTY: () => false,
    exit(code) {
      status = code
    }
  }
  ts.executeCommandLine(system, () => undefined, args)
  parentPort.postMessage({ output, status })
})
