/**
 * A function that an option takes. TypeScript compares the parameters of methods less strictly than those of other functions,
 * so that it accepts a function whose request has a typed body, or whose user is your own class. An optional method cannot be
 * undefined under `exactOptionalPropertyTypes`; an optional property of this type can.
 */
export type Method<Parameters extends readonly unknown[], Result> = {
  method(...parameters: Parameters): Result
}['method']
