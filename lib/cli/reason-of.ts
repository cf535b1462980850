/** Node.js gives no message to the error of a connection that failed at several addresses. */
export function reasonOf(error: unknown): string {
  const { message, code } = Object(error) as { readonly message?: unknown; readonly code?: unknown }
  return String(message || code)
}
