import t from 'tap'
import { testWrites } from '../../../lib/testing/race-suite/writes.ts'
import { by, KeepsTombstones, Merging, RemovesNothing, Replacing, TouchWrites } from './broken-stores.ts'
import { checkRaces } from './check-races.ts'

checkRaces(t, testWrites, [
  [
    'a commit replaces all members',
    by(Replacing),
    'a slow request keeps the keys that other requests wrote',
    'a request that deletes the last key it knows keeps the keys that others wrote'
  ],
  ['a commit merges objects', by(Merging), 'the last write to a key wins, with its whole value'],
  ['a touch writes data', by(TouchWrites), 'a request that only reads overwrites nothing'],
  ['a commit removes nothing', by(RemovesNothing), 'a deletion and a write to another key both count, in either order'],
  ['a removed member stays removed', by(KeepsTombstones), 'the last deletion or write of a key wins']
])
