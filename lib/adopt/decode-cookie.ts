/**
 * Returns the value of a cookie as other libraries read it: without the quotes around it, and with its escapes decoded, if they can
 * be. `raw`: what the Cookie header has.
 */
export function decodeCookie(raw: string): string {
  const text = raw.length > 1 && raw.startsWith('"') && raw.endsWith('"') ? raw.slice(1, -1) : raw
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
