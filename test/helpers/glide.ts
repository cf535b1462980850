import type { BaseClientConfiguration } from '@valkey/valkey-glide'
import { GlideClient, GlideClusterClient, Logger } from '@valkey/valkey-glide'
import type * as Tap from 'tap'

const OPTIONS = { requestTimeout: 10_000 }

/** Connects a client of valkey-glide to a server until the end of the test. */
export async function openGlide(
  t: Tap.Test,
  port: number,
  options: Partial<BaseClientConfiguration> = {}
): Promise<GlideClient> {
  // Otherwise it writes each error of the server to the console.
  Logger.setLoggerConfig('off')
  const client = await GlideClient.createClient({ addresses: [{ host: '127.0.0.1', port }], ...OPTIONS, ...options })
  t.teardown(() => client.close())
  return client
}

/** The same for a cluster, of which one port is enough. */
export async function openGlideCluster(
  t: Tap.Test,
  port: number,
  options: Partial<BaseClientConfiguration> = {}
): Promise<GlideClusterClient> {
  Logger.setLoggerConfig('off')
  const addresses = [{ host: '127.0.0.1', port }]
  const client = await GlideClusterClient.createClient({ addresses, ...OPTIONS, ...options })
  t.teardown(() => client.close())
  return client
}
