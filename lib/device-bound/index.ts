export type {
  DeviceBoundOptions,
  DeviceEvent,
  DeviceRefusal,
  DeviceRequiredOptions
} from '../../types/device-bound.ts'
export { deviceBound, deviceBound as default } from './device-bound.ts'
export type { BoundRequest } from './device-required.ts'
export { deviceRequired } from './device-required.ts'
