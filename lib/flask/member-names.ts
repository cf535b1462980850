/**
 * The names of the members that every session has: data cannot have them as keys. A test compares them with those of
 * `RequestSession`.
 */
const MEMBERS: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  'absoluteTimeout',
  'bindToDevice',
  'clear',
  'commit',
  'createdAt',
  'data',
  'delete',
  'destroy',
  'device',
  'expiresAt',
  'get',
  'has',
  'id',
  'idleTimeout',
  'isNew',
  'options',
  'ownerId',
  'permanent',
  'pop',
  'regenerate',
  'reload',
  'renew',
  'set',
  'setDefault',
  'setOwner',
  'signal',
  'size',
  'touch',
  'update'
])

/** The mark behind a key that would be the name of a member. One that has it already gets another one, so that keys stay apart. */
const MARK = '_'

/** Returns the key that a key of Flask's session has in ours: `id` becomes `id_`, and `id_` becomes `id__`. */
export function toOurKey(key: string): string {
  return MEMBERS.has(withoutMarks(key)) ? key + MARK : key
}

/** The opposite of `toOurKey`. */
export function toFlaskKey(key: string): string {
  return key.endsWith(MARK) && MEMBERS.has(withoutMarks(key)) ? key.slice(0, -MARK.length) : key
}

function withoutMarks(key: string): string {
  let end = key.length
  while (end > 0 && key.endsWith(MARK, end)) end--
  // `__proto__` ends with two marks of its own.
  const own = key.slice(0, end + 2)
  return MEMBERS.has(own) ? own : key.slice(0, end)
}
