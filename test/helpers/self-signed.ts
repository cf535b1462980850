import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyServerOptions } from 'fastify'
import type * as Tap from 'tap'

/** Returns the options of a server with a self-signed certificate, which it creates in the test's folder. */
export function selfSigned(t: Tap.Test): FastifyServerOptions & { readonly https: { key: Buffer; cert: Buffer } } {
  const directory = t.testdir()
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')]
  const parameters = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost -keyout ${key} -out ${cert}`
  execFileSync('openssl', parameters.split(' '), { stdio: 'pipe' })
  return { https: { key: readFileSync(key), cert: readFileSync(cert) } }
}
