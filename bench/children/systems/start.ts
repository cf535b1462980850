import type { SystemName } from '../setting.ts'
import type { Start } from './fastify.ts'

/** Imported on demand, so that a process holds one system. */
const FILES: Readonly<Record<SystemName, () => Promise<{ readonly start: Start }>>> = {
  bare: () => import('./bare.ts'),
  sketch: () => import('./sketch-signed.ts'),
  signed: () => import('./signed.ts'),
  encrypted: () => import('./encrypted.ts'),
  memory: () => import('./memory.ts'),
  'secure-session': () => import('./secure-session.ts'),
  'fastify-session': () => import('./fastify-session.ts')
}

export const importSystem = async (name: SystemName): Promise<Start> => (await FILES[name]()).start
