import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import type { SessionOptions } from '../../../types/options.ts'
import type { Session } from '../../../types/session.ts'
import { guardsFor } from '../../guard/checks.ts'
import { login } from '../../login/login.ts'
import { session } from '../../plugin.ts'
import { getSession } from '../../request/get-session.ts'
import type { Gates } from './gates.ts'

/** The data of a session. */
export type Data = Record<string, unknown>

/** What a request does to its session. */
export interface Job {
  readonly set?: Data
  readonly unset?: readonly string[]
  readonly keep?: readonly string[]
  readonly keepOwner?: boolean
  readonly permanent?: boolean
}

/** The body of a request. */
export interface JobBody extends Job {
  /** The gate at which the request waits. Absent: the request does not wait. */
  readonly gate?: string
}

/** The name of an action, which is also its route. */
export type Action =
  | 'read'
  | 'write'
  | 'commit'
  | 'increment'
  | 'push'
  | 'reload'
  | 'renew'
  | 'regenerate'
  | 'login'
  | 'destroy'
  | 'id'
  | 'guarded'
  | 'kit/login'
  | 'kit/confirm'
  | 'kit/logout'

/** One request: an action, and what it does. */
export type Step = readonly [action: Action, job: Job]

/** Data may have any name: the suite ignores the `SessionData` that the application under test declares. */
type AnySession = Session<Record<string, never>> & Data

const ACTIONS: Readonly<
  Record<Exclude<Action, 'guarded' | `kit/${string}`>, (session: AnySession, job: Job, user: string) => unknown>
> = {
  read: (session) => session.data(),
  write: apply,
  async commit(session, job) {
    apply(session, job)
    await session.commit()
  },
  increment: async (session) => ({
    count: await session.update((data: Data) => {
      const count = Number(data.count ?? 0) + 1
      data.count = count
      return count
    })
  }),
  async push(session, { set }) {
    // The function takes more than one turn, so that other requests can run in between.
    await session.update(async (data: Data) => {
      const list = data.list as unknown[]
      await null
      data.list = [...list, set?.item]
    })
  },
  reload: (session) => session.reload(),
  async renew(session, job) {
    await session.renew()
    apply(session, job)
  },
  async regenerate(session, job) {
    const { keep = [], keepOwner = false } = job
    await session.regenerate(keep as readonly never[], { keepOwner })
    apply(session, job)
  },
  login(session, _job, user) {
    session.setOwner(user)
    apply(session, { set: { user } })
  },
  destroy: (session) => session.destroy(),
  id: (session) => ({ id: session.id })
}

/** The members of a request that the login kit adds. The user of the suite is not of the type that an application declares. */
interface KitRequest {
  login(user: object): Promise<void>
  confirmLogin(): Promise<void>
  logout(): Promise<void>
}

const KIT_ACTIONS: Readonly<Record<string, (request: KitRequest, user: string) => Promise<void>>> = {
  login: (request, user) => request.login({ id: user }),
  confirm: (request) => request.confirmLogin(),
  logout: (request) => request.logout()
}

/** Creates an application with one route per action. A request that names a gate waits there after its session is loaded. */
export async function createApp(options: SessionOptions, gates: Gates, user: string): Promise<FastifyInstance> {
  const app = fastify()
  await app.register(session, options)
  for (const [name, act] of Object.entries(ACTIONS)) {
    app.post(`/${name}`, async (request: FastifyRequest) => {
      const { gate, ...job } = request.body as JobBody
      const data = getSession<Record<string, never>>(request) as AnySession
      if (gate !== undefined) await gates.wait(gate)
      return (await act(data, job, user)) ?? {}
    })
  }
  await app.register(login, { loadUser: (id) => ({ id }) as never })
  for (const [name, act] of Object.entries(KIT_ACTIONS)) {
    app.post(`/kit/${name}`, async (request) => {
      const { gate } = request.body as JobBody
      getSession(request)
      if (name === 'confirm') await (request as unknown as { loadUser(): Promise<unknown> }).loadUser()
      if (gate !== undefined) await gates.wait(gate)
      await act(request as unknown as KitRequest, user)
      return {}
    })
  }
  // The request waits before its guard, as one does whose body comes slowly.
  const waitForBody = async (request: FastifyRequest): Promise<void> => {
    const { gate } = request.body as JobBody
    getSession(request)
    if (gate !== undefined) await gates.wait(gate)
  }
  const { requireSession } = guardsFor<{ user: string }>('session')
  app.post('/guarded', { preValidation: waitForBody, preHandler: requireSession('user') }, async () => ({}))
  return app
}

function apply(session: AnySession, { set = {}, unset = [], permanent }: Job): void {
  Object.assign(session, set)
  for (const name of unset) delete session[name]
  if (permanent !== undefined) session.permanent = permanent
}
