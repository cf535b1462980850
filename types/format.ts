/**
 * A cookie format of another framework, for the option `format` of the plugin: what `flaskCookie()` of
 * `fastify-typed-session/flask` returns. Nothing else can be one.
 */
export interface SessionFormat {
  /** What the format is called in messages. */
  readonly name: 'flask'
}
