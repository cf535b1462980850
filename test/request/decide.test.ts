import t from 'tap'
import type { Changes } from '../../lib/request/changes.ts'
import type { Facts } from '../../lib/request/decide.ts'
import { decide } from '../../lib/request/decide.ts'
import type { CommitReason, OpenReason } from '../../types/diagnostics.ts'

const FLAGS = [
  'isUnavailable',
  'isDisabled',
  'accessed',
  'isDestroyed',
  'wasToldSo',
  'isPersisted',
  'regenerated',
  'hasEnded',
  'isGone',
  'hasOldId',
  'isRenamed',
  'hasNewId',
  'hasChanged',
  'isEmpty',
  'hasOwner',
  'hasOtherOwner',
  'hasOtherPermanence',
  'needsRekey',
  'touched'
] as const

/** Facts that go with few of the others: at most one of them holds. */
const RARE = ['isUnloaded', 'isStale', 'isByToken'] as const
/** Facts that go with some of them. */
const EXTRA = ['needsMigration', 'isAmended', 'isUnproven', 'isAdopted'] as const

type Case = Readonly<Record<(typeof FLAGS)[number] | (typeof RARE)[number] | (typeof EXTRA)[number], boolean>>

const NO_EXTRA = { needsMigration: false, isAmended: false, isUnproven: false, isAdopted: false }

/** Every combination of the flags, but for those that no request can be in. */
function* cases(): Generator<Case> {
  for (let bits = 0; bits < 2 ** FLAGS.length; bits++) {
    const common = Object.fromEntries(FLAGS.map((flag, index) => [flag, (bits & (1 << index)) !== 0])) as Case
    const one = { ...common, isUnloaded: false, isStale: false, isByToken: false, ...NO_EXTRA }
    if (one.isUnavailable && !one.isDisabled) continue
    if (!one.isPersisted && (one.hasNewId || one.hasOtherOwner || one.hasOtherPermanence)) continue
    if (one.regenerated && one.isPersisted && !one.hasNewId) continue
    if ((one.hasEnded || one.isRenamed) && one.isPersisted) continue
    if (one.isGone && !one.hasEnded) continue
    if (one.hasOldId && one.isUnavailable) continue
    if (one.isRenamed && (!one.hasOldId || one.regenerated)) continue
    yield one
    if (one.isPersisted && one.accessed && !one.regenerated) {
      yield { ...one, needsMigration: true }
      yield { ...one, isAmended: true }
    }
    if (one.isRenamed) yield { ...one, hasOldId: false, isUnproven: true }
    if (one.isPersisted && !one.hasOldId && !one.isUnavailable) yield { ...one, isAdopted: true }
    if (one.isUnavailable || one.hasOldId || one.isPersisted || one.wasToldSo) continue
    for (const rare of RARE) if (rare !== 'isByToken' || one.isDisabled) yield { ...one, [rare]: true }
  }
}

function toldReason({ wasToldSo, isDestroyed }: Case): CommitReason | undefined {
  if (!wasToldSo) return undefined
  return isDestroyed ? 'destroyed' : 'emptied'
}

function openReason({ isUnavailable, isUnloaded, isByToken, hasOldId, isUnproven, isAdopted }: Case): OpenReason {
  if (isAdopted) return 'adopted'
  if (isUnavailable) return 'store-unavailable'
  if (isUnproven) return 'device-unproven'
  if (isUnloaded) return 'not-loaded'
  if (isByToken) return 'token'
  return hasOldId ? 'renamed' : 'opened'
}

function plan(one: Case): string {
  const owner = one.hasOwner ? 'ada' : undefined
  const facts: Facts = {
    openReason: openReason(one),
    goesOnElsewhere: one.isRenamed,
    policy: { enabled: !one.isDisabled },
    persisted: one.isPersisted
      ? { permanent: one.hasOtherPermanence, ownerId: one.hasOtherOwner ? 'someone else' : owner }
      : undefined,
    accessed: one.accessed,
    isStale: one.isStale,
    isDestroyed: one.isDestroyed,
    regenerated: one.regenerated,
    ending: { hasEnded: one.hasEnded, isGone: one.isGone },
    hasNewId: one.hasNewId,
    permanent: false,
    ownerId: owner,
    needsRekey: one.needsRekey,
    needsMigration: one.needsMigration,
    isAmended: one.isAmended,
    touched: one.touched,
    reply: { reason: toldReason(one) }
  }
  const changes: Changes = { hasChanged: one.hasChanged, isEmpty: one.isEmpty, keys: undefined, json: '{}' }
  const { kind, reason } = decide(facts, changes)
  return `${kind}: ${reason}`
}

/**
 * The table of docs/why-no-cookie.md, most important first: a plan, and when it is made. Of the rows that fit a case, the first one
 * holds.
 */
const TABLE: readonly (readonly [plan: string, when: (one: Case) => boolean])[] = [
  ['nothing: store-unavailable', (one) => one.isUnavailable],
  ['nothing: not-loaded', (one) => one.isUnloaded],
  ['nothing: token', (one) => one.isByToken && one.accessed],
  ['nothing: disabled', (one) => one.isDisabled && one.accessed],
  ['nothing: untouched', (one) => one.isDisabled],
  ['forget: stale', (one) => one.isStale && !one.accessed && !one.touched && !one.needsRekey],
  ['nothing: untouched', (one) => !one.accessed && !one.touched && !one.needsRekey],
  ['nothing: unchanged', (one) => one.isDestroyed && one.wasToldSo],
  ['end: destroyed', (one) => one.isDestroyed],
  ['nothing: device-unproven', (one) => one.isUnproven],
  ['nothing: renamed', (one) => one.isRenamed],
  ['end: emptied', (one) => one.isEmpty && !one.hasOwner && one.isPersisted],
  ['forget: stale', (one) => one.isStale && one.isEmpty && !one.hasOwner],
  [
    'forget: emptied',
    (one) => one.isEmpty && !one.hasOwner && (one.hasEnded || (one.hasOldId && one.regenerated)) && !one.wasToldSo
  ],
  ['nothing: empty', (one) => one.isEmpty && !one.hasOwner],
  ['nothing: gone', (one) => one.isGone],
  ['create: renewed', (one) => !one.isPersisted && one.hasEnded],
  ['create: created', (one) => !one.isPersisted],
  ['replace: renewed', (one) => one.regenerated],
  ['rename: renewed', (one) => one.hasNewId],
  ['update: changed', (one) => one.hasChanged || one.hasOtherPermanence || one.hasOtherOwner || one.isAmended],
  ['touch: migrated', (one) => one.needsMigration],
  ['touch: adopted', (one) => one.needsRekey && one.isAdopted],
  ['touch: rekeyed', (one) => one.needsRekey],
  ['touch: restamped', (one) => one.touched],
  ['nothing: unchanged', () => true]
]

t.test('the plan for every combination of facts is that of the table', async (t) => {
  const rows = TABLE.map(() => 0)
  const wrong: string[] = []
  let count = 0
  for (const one of cases()) {
    count++
    const index = TABLE.findIndex(([, when]) => when(one))
    rows[index] = (rows[index] ?? 0) + 1
    const expected = TABLE[index]?.[0]
    const found = plan(one)
    if (found !== expected)
      wrong.push(`${[...FLAGS, ...RARE].filter((flag) => one[flag])}: ${found} instead of ${expected}`)
  }
  t.same(wrong.slice(0, 5), [])
  t.ok(count > 9_000, `${count} combinations`)
  t.notOk(rows.includes(0), 'every row holds for some of them')
})

t.test('a session that was ended by another request cannot be told here: saving tells it', async (t) => {
  const one = Object.fromEntries(FLAGS.map((flag) => [flag, flag === 'accessed' || flag === 'isPersisted'])) as Case
  t.equal(plan({ ...one, hasChanged: true }), 'update: changed')
})
