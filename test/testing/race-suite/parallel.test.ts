import t from 'tap'
import { testParallelRequests } from '../../../lib/testing/race-suite/parallel.ts'
import {
  AlwaysCommits,
  by,
  CommitRevives,
  CountsFirst,
  DestroysNothing,
  IgnoresVersions,
  NotAtomic,
  OneByOne
} from './broken-stores.ts'
import { checkRaces } from './check-races.ts'

checkRaces(t, testParallelRequests, [
  [
    'a commit reads, waits and writes everything',
    by(NotAtomic),
    'parallel writes to different keys are all kept',
    'parallel updates and plain writes to other keys are all kept',
    'writes that succeed while the id changes are in the renewed session'
  ],
  ['a commit writes member by member', by(OneByOne), 'parallel writes to the same keys never mix'],
  [
    'a commit ignores the version',
    by(IgnoresVersions),
    '100 parallel increments with update() count to 100',
    'each item that update() pushes is in the array once'
  ],
  ['a commit revives', by(CommitRevives), 'a logout among parallel readers and writers is final'],
  ['nothing is destroyed', by(DestroysNothing), 'a logout among parallel readers and writers is final'],
  ['a commit always reports success', by(AlwaysCommits), 'one of several parallel renewals wins'],
  [
    'a limit counts first and writes later',
    by(CountsFirst),
    'parallel logins do not exceed maxPerOwner (refuse)',
    'parallel logins do not exceed maxPerOwner (evict-oldest)'
  ]
])
