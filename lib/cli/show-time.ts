/** Returns a time with its distance from now, both in seconds since 1970. */
export function showTime(seconds: number, now: number): string {
  const distance = now >= seconds ? `${now - seconds} s ago` : `in ${seconds - now} s`
  return `${new Date(seconds * 1000).toISOString()} (${distance})`
}
