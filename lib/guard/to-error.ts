import { InvalidValueError } from '../errors.ts'

/** Returns what fails a request in the place of a thrown value. Fastify takes a falsy one for no error, and would call the handler. */
export function toError(thrown: unknown): Error {
  return (thrown || new InvalidValueError('A guard failed without an error that says why.')) as Error
}
