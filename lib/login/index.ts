import type {} from 'fastify'
// Names that fastify's own scope does not have: another plugin may declare a `Login` there.
import type { LoginGuards as KitGuards, Login as KitLogin, RequestUsers as KitUsers } from '../../types/login.ts'

export type {
  CommonLoginOptions,
  DefaultKitName,
  FreshLoginOptions,
  KitName,
  LoadUserOptions,
  LoggedIn,
  Login,
  LoginCallOptions,
  LoginEvent,
  LoginEventType,
  LoginGuards,
  LoginName,
  LoginOptions,
  LoginPlugin,
  LoginUsers,
  RememberOptions,
  RequestUsers,
  User,
  UserOf
} from '../../types/login.ts'
export { getLogin, getLoginGuards } from './get-login.ts'
export { login, login as default } from './login.ts'

// This declaration must be in this file: see lib/index.ts.
declare module 'fastify' {
  interface FastifyRequest extends KitLogin, KitUsers {}

  interface FastifyInstance extends KitGuards {}
}
