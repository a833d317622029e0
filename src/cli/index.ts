// The commands, in the order of the help.
import { adopt } from './adopt.ts'
import { backfill } from './backfill.ts'
import type { Command } from './command.ts'
import { contract } from './contract.ts'
import { demo } from './demo.ts'
import { diff } from './diff.ts'
import { doctor } from './doctor.ts'
import { evolve } from './evolve.ts'
import { federated } from './federated.ts'
import { importer } from './import.ts'
import { list } from './list.ts'
import { local } from './local.ts'
import { manifest } from './manifest.ts'
import { make } from './new.ts'
import { plan } from './plan.ts'
import { prune } from './prune.ts'
import { read } from './read.ts'
import { rejected } from './rejected.ts'
import { release } from './release.ts'
import { rollback } from './rollback.ts'
import { run } from './run.ts'
import { schedule } from './schedule.ts'
import { versions } from './versions.ts'

export const commands: readonly Command[] = [
  demo,
  list,
  make,
  plan,
  run,
  backfill,
  read,
  versions,
  rejected,
  diff,
  rollback,
  release,
  prune,
  evolve,
  contract,
  adopt,
  doctor,
  schedule,
  local,
  manifest,
  federated,
  importer,
]
