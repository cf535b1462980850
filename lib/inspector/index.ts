export type {
  CookiePart,
  InspectedCookie,
  InspectedSession,
  InspectorOptions,
  SessionDecision,
  SessionInspection
} from '../../types/inspector.ts'
export type { InspectableRequest } from './inspect.ts'
export { inspectSession } from './inspect-session.ts'
export { inspector, inspector as default } from './inspector.ts'
