/** Whether a text is a path, spelled as the URL standard serializes it, that another path can follow: without a slash at its end. */
export function isBasePath(value: unknown): value is string {
  if (typeof value !== 'string' || !value.startsWith('/') || value.endsWith('/')) return false
  return URL.canParse(value, 'http://localhost') && new URL(value, 'http://localhost').pathname === value
}
