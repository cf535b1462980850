import type { FastifyRequest } from 'fastify'
import type { LoginOptions } from '../../lib/login/index.ts'
import type { KitApp } from './login-app.ts'
import { createKitApp, createStoredKitApp, Member } from './login-app.ts'
import type { RecordingStore } from './recording-store.ts'

/** What runs on a request. */
export type Act = (request: FastifyRequest) => unknown

/** Returns a function that runs code on a request of a member. It returns the result, or the code of the error. */
function remoteOf({ app }: KitApp): (member: Member, act: Act) => Promise<unknown> {
  let run: Act
  app.post('/act', async (request) => {
    try {
      return { result: (await run(request)) ?? null }
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      return { error: code ?? message }
    }
  })
  return async (member, act) => {
    run = act
    const { result, error } = (await member.submit('/act')).json()
    return error ?? result
  }
}

interface ActingApp extends KitApp {
  /** Runs code on a request of a member. */
  act: (member: Member, act: Act) => Promise<unknown>
  ana: Member
}

/** Creates an application in which code runs on requests. */
export async function createActing(kit: Partial<LoginOptions> = {}): Promise<ActingApp> {
  const made = await createKitApp({}, kit)
  return { ...made, act: remoteOf(made), ana: new Member(made.app) }
}

/** The same with a store that records its calls, and remembered logins. */
export async function createStoredActing(
  kit: Partial<LoginOptions> = {}
): Promise<ActingApp & { store: RecordingStore }> {
  const made = await createStoredKitApp({ remember: true, ...kit })
  return { ...made, act: remoteOf(made), ana: new Member(made.app) }
}

/** Returns a member with a remembered login, whose browser has been restarted. */
export async function restarted({ app }: KitApp): Promise<Member> {
  const member = new Member(app)
  await member.login(1, { remember: true })
  member.restart()
  return member
}

/** From now on every call of the store fails. */
export function fail(store: RecordingStore): void {
  store.before = () => Promise.reject(new Error('down'))
}
